"""The HTTP API of notify."""
