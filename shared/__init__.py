"""What the services agree on: the events, the bus, the store, the web edge, telemetry, settings and the clock."""
