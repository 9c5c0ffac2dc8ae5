"""The one simulator of a community, and the player that sends a year or a recorded stream through the public APIs."""
