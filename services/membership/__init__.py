"""Who belongs: members, how they came, and what they said about themselves. Personal data stay in here."""
