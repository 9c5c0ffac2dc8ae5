"""Profiles are merged in any order, in any batches, with repeats, to the same sums; an erase leaves nothing."""

import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.metrics.domain.profiles import Profile, concerns, merge, organisation_key
from services.metrics.store.accounts import Accounts
from services.metrics.store.profiles import merge_profiles
from shared.bus.generations import Tx
from shared.catalogue import Event, MemberErased, MemberProfile
from shared.store.mongo import Store
from tests.services.metrics.facts import EPOCH, fact, joined, tombstone, voided

LATER = EPOCH + timedelta(days=9)


@pytest.fixture
async def store(mongo_uri: str) -> AsyncIterator[Store]:
    store = Store(mongo_uri, f"metrics_{uuid.uuid4().hex[:12]}")
    yield store
    await store.client.drop_database(store.name)
    await store.close()


def profile(member: str, organisation: str | None = None, referrer: str | None = None, version: int = 1) -> Event:
    return fact(MemberProfile(organisation=organisation, referrer_id=referrer), member, EPOCH, version)


def erased(member: str) -> list[Event]:
    return [fact(MemberErased(basis="request"), member, LATER, 4), tombstone(member, LATER, 4)]


def void(member: str) -> Event:
    return voided(joined(EPOCH, member), LATER)


def test_a_name_is_not_kept_and_its_spellings_are_one() -> None:
    assert organisation_key("見本市役所") == organisation_key(" 見本 市役所")
    assert organisation_key("ＡＢＣ市") == organisation_key("abc市")
    assert organisation_key("見本市役所") != organisation_key("見本町役場")
    assert "見本" not in str(organisation_key("見本市役所"))
    assert organisation_key("  ") is None


def test_an_erase_is_final() -> None:
    known = Profile()
    for event in (tombstone("m", LATER, 3), profile("m", "市", "r", version=1), profile("m", "市", "r", version=9)):
        known = merge(known, event)
    assert (known.organisation, known.referrer, known.erased) == (None, None, True)


def test_a_first_profile_that_says_nothing_costs_nothing() -> None:
    assert not concerns(profile("m"))
    assert concerns(profile("m", version=2))
    assert concerns(profile("m", "市"))
    assert concerns(tombstone("m", LATER, 2))


def a_forest(dice: random.Random) -> list[Event]:
    """Thirty people, most of them brought by one who came before; some void, some erased."""
    facts = []
    for n in range(30):
        referrer = f"m{dice.randrange(n)}" if n and dice.random() < 0.8 else None
        facts.append(profile(f"m{n}", dice.choice(["甲市", "乙町", None]), referrer))
        if dice.random() < 0.15:
            facts.append(void(f"m{n}"))
        if dice.random() < 0.15:
            facts += erased(f"m{n}")
    return facts


def expected(facts: list[Event]) -> tuple[int, dict[int, int]]:
    """Organisations and depths by the definition."""
    gone = {one.envelope.subject for one in facts if not isinstance(one.data, MemberProfile)}
    told = {
        one.envelope.subject: one.data
        for one in facts
        if isinstance(one.data, MemberProfile) and one.envelope.subject not in gone
    }

    def depth(member: str) -> int:
        data = told.get(member)
        return 0 if data is None or data.referrer_id is None else 1 + depth(data.referrer_id)

    depths = Counter(depth(member) for member in told)
    organisations = {data.organisation for data in told.values() if data.organisation}
    return len(organisations), {level: people for level, people in sorted(depths.items()) if level}


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_and_any_batches_give_the_same_figures(store: Store, seed: int) -> None:
    dice = random.Random(seed)
    facts = a_forest(dice)
    told = [*facts, *dice.choices(facts, k=5)]
    dice.shuffle(told)
    tx = Tx(None, store, 1)
    while told:
        size = dice.randrange(1, 8)
        batch, told = told[:size], told[size:]
        await merge_profiles(tx, [event for event in batch if concerns(event)], dice.randrange(12))
    accounts = Accounts(store, 1)
    assert (await accounts.organisations(), await accounts.depths()) == expected(facts)


async def test_an_erase_leaves_no_organisation_and_no_referrer(store: Store) -> None:
    tx = Tx(None, store, 1)
    await merge_profiles(tx, [profile("m", "見本市役所", "friend")], 0)
    await merge_profiles(tx, erased("m"), 0)
    kept = [document async for document in store.collection("profiles.g1").find()]
    assert [(one["_id"], one["organisation"], one["referrer"]) for one in kept] == [("m", None, None)]
    assert await store.collection("referrals.g1").count_documents({}) == 0
    assert await Accounts(store, 1).organisations() == 0
