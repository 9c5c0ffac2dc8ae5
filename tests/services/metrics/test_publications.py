"""Publications are merged from facts: highest version per field, any order, repeats without effect."""

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.board import Title
from services.metrics.domain.publications import Fields, merge, publication
from shared.catalogue import Event
from tests.services.metrics.facts import EPOCH, archives, corrected, held, published, withdrawn

LATER = EPOCH + timedelta(days=3)


def merged(*events: Event) -> Fields:
    known: Fields = {}
    for event in events:
        known = merge(known, event)
    return known


def test_what_was_published_is_a_publication_at_its_own_time() -> None:
    found = publication("a", merged(published("a", EPOCH, title="Spring")))
    assert found is not None
    assert (found.kind, found.published_at, found.title) == (
        "magazine_issue",
        EPOCH,
        Title(ja="Spring 号", en="Spring"),
    )


def test_a_correction_changes_only_what_it_says() -> None:
    found = publication("a", merged(published("a", EPOCH), corrected("a", LATER, 2, published_at=LATER)))
    assert found is not None
    assert (found.kind, found.published_at) == ("magazine_issue", LATER)


def test_a_correction_that_comes_first_waits_for_its_archive() -> None:
    early = merged(corrected("a", LATER, 2, kind="article"))
    assert publication("a", early) is None
    found = publication("a", merge(early, published("a", EPOCH)))
    assert found is not None
    assert found.kind == "article"


def test_what_was_withdrawn_is_no_publication() -> None:
    assert publication("a", merged(withdrawn("a", LATER, 2), published("a", EPOCH))) is None


def test_a_held_session_is_a_publication_at_its_end() -> None:
    found = publication("s", merged(held("s", LATER)))
    assert found is not None
    assert (found.kind, found.published_at, found.title) == ("session", LATER, None)


@given(archives(), st.randoms(use_true_random=False))
def test_any_order_with_repeats_gives_the_same_content(story: list[Event], dice: random.Random) -> None:
    shuffled = story + dice.choices(story, k=3)
    dice.shuffle(shuffled)
    assert merged(*shuffled) == merged(*story)
