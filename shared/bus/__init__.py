"""The bus: commands and their outbox, the relay to Kafka, consumers with their offsets beside their state."""
