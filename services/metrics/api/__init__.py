"""The HTTP API of metrics."""
