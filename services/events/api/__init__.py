"""The HTTP API of events: sessions, archives, and the clock of a replayed year."""
