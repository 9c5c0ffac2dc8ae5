"""A sample of requests as they came, judged by the two published libraries that receivers use."""

from collections.abc import Mapping, Sequence
from typing import Any

import standardwebhooks
import svix


def verified(samples: Sequence[Mapping[str, Any]], secrets: Mapping[int, str]) -> int:
    """How many samples there were. Raises the library's error for one that it refuses, as it does after 5 minutes."""
    for sample in samples:
        headers = _headers(sample["head"])
        standardwebhooks.Webhook(secrets[sample["receiver"]]).verify(sample["body"], headers)
        svix.Webhook(secrets[sample["receiver"]]).verify(sample["body"], headers)
    return len(samples)


def _headers(head: str) -> dict[str, str]:
    lines = (line.partition(":") for line in head.split("\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in lines}
