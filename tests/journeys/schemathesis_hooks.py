"""What schemathesis must be told of this project: a well-behaved client sends a new key with each new request.

Its generator repeats one `Idempotency-Key` with different bodies, which the service refuses with 422, as it should.
"""

import uuid

import schemathesis


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, object]) -> None:
    """Gives every request that is meant to be valid a key of its own."""
    meant_well = case.meta is None or case.meta.generation.mode.is_positive
    if meant_well and case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
