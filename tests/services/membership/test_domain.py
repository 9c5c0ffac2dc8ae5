"""The rules of membership hold in any order of commands: pure decisions, no database."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.membership.domain import Erase, Join, Leave, Void, belongs, erase, join, leave, void
from services.membership.requests import Joining
from shared.bus.command import Decision, Refused, State, When
from shared.catalogue import JoinVoided, MemberErased, MemberJoined, MemberLeft

START = datetime(2022, 3, 31, tzinfo=UTC)
SAID = Joining(name="花子", email="hanako@example.jp", organisation="市役所")


def decide(state: State | None, act: str, at: datetime) -> Decision:
    when = When(at)
    acts: dict[str, Any] = {
        "join": lambda: join(state, Join("m", SAID, when)),
        "leave": lambda: leave(state, Leave("m", "self", when)),
        "void": lambda: void(state, Void("m", "test", when)),
        "erase": lambda: erase(state, Erase("m", "request", when)),
    }
    decision: Decision = acts[act]()
    return decision


@given(st.lists(st.sampled_from(["join", "leave", "void", "erase"]), max_size=8))
def test_any_order_of_commands_keeps_the_rules(acts: list[str]) -> None:
    state: State | None = None
    facts: list[type] = []
    for n, act in enumerate(acts):
        with suppress(Refused):
            decision = decide(state, act, START + timedelta(hours=n))
            state = decision.state
            facts += [type(event.data) for event in decision.events if event.counted]
    assert facts.count(MemberJoined) == (1 if "join" in acts else 0)
    assert not facts or facts[0] is MemberJoined
    assert max(facts.count(kind) for kind in (MemberLeft, JoinVoided, MemberErased)) <= 1
    assert facts.count(MemberErased) == 0 or facts[-1] is MemberErased
    if state is not None:
        assert belongs(state) == (not {MemberLeft, JoinVoided, MemberErased} & set(facts))
        assert ("personal" in state) == (MemberErased not in facts)


def test_the_facts_name_nobody() -> None:
    joined, profile = decide(None, "join", START).events
    for event in (joined, profile):
        told = event.data.model_dump_json() if event.data else ""
        assert "花子" not in told
        assert "hanako" not in told


def test_what_an_erase_keeps_names_nobody() -> None:
    state = decide(None, "join", START).state
    erased = decide(state, "erase", START)
    assert erased.releases
    for word in ("花子", "hanako", "市役所"):
        assert word in repr(state)
        assert word not in repr(erased.state)
