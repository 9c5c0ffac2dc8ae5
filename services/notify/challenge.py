"""Does who answers at a URL want our webhooks: a signed question that only a willing receiver answers."""

import hmac
import secrets
from dataclasses import dataclass
from typing import Final

import orjson

from services.notify.endpoint import Endpoint
from services.notify.sender import Asker, Posting
from services.notify.signing import sign

TYPE: Final = "kairan.endpoint-challenge.v1"
_MOST_ANSWER_BYTES: Final = 4096


@dataclass(frozen=True)
class Unanswered:
    """Why the receiver is not verified: `status` of its answer if there was one; `reason` in words."""

    status: int | None
    reason: str


async def challenge(endpoint: Endpoint, sender: Asker, now_ms: int) -> Unanswered | None:
    """Asks once, through the guard, and never raises for what the receiver does; None when it answered as it must."""
    word = secrets.token_urlsafe(32)
    answer, body = await sender.ask(_question(endpoint, word, now_ms), _MOST_ANSWER_BYTES)
    if answer.failure is not None:
        return Unanswered(answer.status, f"the answer was {answer.status or 'none'} ({answer.failure.value})")
    if not hmac.compare_digest(_word_in(body), word.encode()):
        return Unanswered(answer.status, 'the answer does not hold the challenge, as {"challenge": "…"} or as its text')
    return None


def _question(endpoint: Endpoint, word: str, now_ms: int) -> Posting:
    body = orjson.dumps({"type": TYPE, "challenge": word, "endpoint_id": endpoint.id})
    question_id, timestamp_s = f"msg_{secrets.token_hex(16)}", now_ms // 1000
    return Posting(
        url=endpoint.url,
        headers={
            "Content-Type": "application/json",
            "webhook-id": question_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": sign(endpoint.signing_keys(now_ms), question_id, timestamp_s, body),
        },
        body=body,
    )


def _word_in(body: bytes) -> bytes:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.strip()
    if isinstance(found, dict):
        found = found.get("challenge")
    return found.encode() if isinstance(found, str) else b""
