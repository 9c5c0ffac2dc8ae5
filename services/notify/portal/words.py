"""What the portal says: every text by its name, in groups. A test holds the languages to the same names."""

from dataclasses import dataclass
from typing import Final

from shared.web.languages import Language

Texts = dict[str, str]


@dataclass(frozen=True)
class Words:
    """The texts of one language; `{name}` places are filled by the page.

    `states`, `delivery_states`, `failures`, `refusals`, `faults`, `why_not`: keyed by the words that the API uses.
    """

    lang: Language
    other_lang: Language
    other_language: str
    site: str
    tagline: str
    skip: str
    nav: Texts
    labels: Texts
    buttons: Texts
    texts: Texts
    kinds: Texts
    operations: Texts
    states: Texts
    delivery_states: Texts
    replay_states: Texts
    failures: Texts
    done: Texts
    refusals: Texts
    faults: Texts
    stages: Texts
    why_not: Texts
    locked_title: str
    locked: str
    used_title: str
    used: str
    invalid_title: str
    invalid: str


GROUPS: Final = tuple(name for name, kind in Words.__annotations__.items() if kind == Texts)
