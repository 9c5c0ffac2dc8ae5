"""The embedded stack: a supervisor, a real Kafka and a real mongod on loopback."""
