"""HTTP as all services speak it: problems, tokens, idempotency, health, and the process around them."""
