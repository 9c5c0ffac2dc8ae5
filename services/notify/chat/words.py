"""What a chat is told: every text by its name; a language that lacks one does not type-check."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.web.languages import Language
from shared.words.growth import GrowthWords


@dataclass(frozen=True)
class ChatWords:
    """The texts of one language; `{name}` places are filled by the sentences."""

    lang: Language
    growth: GrowthWords
    heading: str
    test_heading: str
    test: str
    titled: str
    untitled: str
    session: str
    detected: str
    closed: str
    entrance: str
    as_known: str
    credited: str
    joint: str
    no_cause: str
    imported: str
    milestone: str
    exhausted: str
    answered: str
    not_answered: str
    failing: Mapping[int, str]
    first_failed: str
    disabled: Mapping[str, str]
    last_tried: str
    look: str
    members: Mapping[str, str]
    at: str
    scheduled: str
    rescheduled: str
    cancelled: str
    cancel_reasons: Mapping[str, str]
    held: str
    attendees: str
    published: str
    audiences: Mapping[str, str]
    corrected: str
    corrected_title: str
    withdrawn: str
    withdraw_reasons: Mapping[str, str]
