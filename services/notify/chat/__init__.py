"""Staff's chat: an event as a sentence in Japanese or English, as Slack, Teams, Discord or Apprise takes it."""
