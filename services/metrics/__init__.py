"""What publications did: joins counted by the hour, the publication ledger, the page."""
