"""What notify's answers to commands have of their own: how versions are counted."""

from dataclasses import replace

from fastapi import Response

from shared.bus.command import Outcome
from shared.web import exchange


def accepted(outcome: Outcome) -> Response:
    """The answer to a command; the same for a repeat."""
    return exchange.accepted(replace(outcome, version=version(outcome.version)))


def version(facts: int) -> int:
    """An endpoint's creation is no event on the bus, so its first version stands before the first fact about it."""
    return facts + 1
