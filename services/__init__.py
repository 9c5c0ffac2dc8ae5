"""The four services; each imports shared and itself, never another."""
