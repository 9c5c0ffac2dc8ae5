"""The whole list of what a token can allow, in words."""

SCOPES: dict[str, str] = {
    "members:read": "Read a member's record.",
    "members:write": "Record joins, leaves, erasures and voids, now.",
    "history:write": "State when something happened, and how precisely that is known.",
    "sessions:read": "Read sessions and their series.",
    "sessions:write": "Schedule, reschedule, cancel and hold sessions.",
    "archives:read": "Read archives and publications.",
    "archives:write": "Publish, correct and withdraw archives.",
    "endpoints:read": "Read one's own webhook endpoints and their deliveries.",
    "endpoints:write": "Register, change and remove one's own webhook endpoints.",
    "endpoints:admin": "With the scopes to read or write: everybody's webhook endpoints. The records of real ids.",
    "endpoints:trusted": "Give an endpoint the real ids of people instead of pairwise ones.",
    "growth:read": "Read joins, member counts, the publication ledger and the page.",
    "clock:write": "Say that time has passed, in a stack whose clock is a stream.",
    "ops:write": "Operate: rebuild read models, replay dead letters, resume stopped consumers.",
}
"""Scope to meaning. An operation names the scope it needs in its OpenAPI `security`."""
