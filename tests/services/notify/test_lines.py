"""Whose turn it is, for any course of arrivals, answers, failures, crashes and an owner's word: always the first."""

from collections import deque
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.notify.delivery import UNTRIED, Waiting
from services.notify.lines import MOST_IN_LINE, Lines

KEYS = ("a", "b", "c")


class LaneAndStore(RuleBasedStateMachine):
    """A lane's `Lines` beside what the database would hold; time is a count of ticks."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[int, Waiting] = {}
        self.holds: dict[str, int] = {}
        self.behind: set[int] = set()
        self.planned = 0
        self.now = 10
        self.sent: dict[str, list[int]] = {key: [] for key in KEYS}
        self.ended: dict[str, list[int]] = {key: [] for key in KEYS}
        self.read_to = 0
        self.crash()

    @rule(keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=3), then_read=st.booleans())
    def plan(self, keys: list[str], then_read: bool) -> None:
        for key in keys:
            self.planned += 1
            self.stored[self.planned] = Waiting(str(self.planned), "e", self.planned, 0, "t", "i", 0, b"", key, UNTRIED)

        if then_read:
            self.read()

    @rule(key=st.sampled_from(KEYS), then_read=st.booleans())
    def plan_more_than_a_line(self, key: str, then_read: bool) -> None:
        self.plan([key] * 2 * MOST_IN_LINE, then_read)

    @rule()
    def read(self) -> None:
        """What a lane does when it looks."""
        for one in [each for each in self.stored.values() if UNTRIED < each.next_at_ms <= self.now]:
            if one.sequence not in self.in_hand and self.lines.returns(key_of(one), one):
                self.take(one)
        for key in list(self.lines.to_call):
            first = [one for one in self.stored.values() if one.key == key][:MOST_IN_LINE]
            line = self.lines.called(key, first, self.now)
            self.in_hand.update(one.sequence for one in line)
            self.queue.extend(list(line)[:1])
        for sequence in sorted(self.stored.keys() - self.behind - self.in_hand):
            one = self.stored[sequence]
            if sequence <= self.read_to or one.next_at_ms != UNTRIED:
                continue
            self.read_to = sequence
            if self.lines.arrives(key_of(one), one):
                self.take(one)
            elif one.id not in self.lines.to_shelve:
                self.in_hand.add(sequence)
        self.shelve()

    def shelve(self) -> None:
        for one in self.lines.to_shelve.values():
            if one.sequence in self.stored and self.holds.get(key_of(one)) != one.sequence:
                self.behind.add(one.sequence)
        self.lines.to_shelve.clear()

    def take(self, one: Waiting) -> None:
        self.queue.append(one)
        self.in_hand.add(one.sequence)

    @precondition(lambda self: self.queue)
    @rule(answer=st.sampled_from(("taken", "failed", "exhausted", "nothing")))
    def attempt(self, answer: str) -> None:
        one = self.queue.popleft()
        key = key_of(one)
        assert one.sequence == min(each.sequence for each in self.stored.values() if each.key == key)
        assert key not in self.holds or self.holds[key] == one.sequence
        self.in_hand.discard(one.sequence)
        if answer == "nothing":
            self.in_hand -= {each.sequence for each in self.lines.gives_back(key)}
            return
        self.behind.discard(one.sequence)
        if answer == "taken":
            del self.stored[one.sequence]
            self.holds.pop(key, None)
            self.ended[key].append(one.sequence)
            if following := self.lines.ends(key):
                self.queue.append(following)
            return
        self.holds[key] = one.sequence
        if answer == "failed":
            self.stored[one.sequence] = replace(one, next_at_ms=self.now + 5)
        else:
            del self.stored[one.sequence]
            self.ended[key].append(one.sequence)
        self.in_hand -= {each.sequence for each in self.lines.holds(key, one.id)}

    @rule()
    def time_passes(self) -> None:
        self.now += 5

    @rule()
    def crash(self) -> None:
        self.lines, self.read_to = Lines(), 0
        self.queue: deque[Waiting] = deque()
        self.in_hand: set[int] = set()
        self.recall()

    @rule()
    def recall(self) -> None:
        self.shelve()
        self.lines.reading()
        held = {key: str(sequence) for key, sequence in self.holds.items()}
        self.lines.stored(held, {key_of(self.stored[one]) for one in self.behind})

    @rule(key=st.sampled_from(KEYS))
    def owner_releases(self, key: str) -> None:
        if self.holds.get(key) not in self.stored:
            self.holds.pop(key, None)
        self.recall()

    @invariant()
    def all_that_ended_ended_in_order(self) -> None:
        assert all(ended == sorted(ended) for ended in self.ended.values())

    def teardown(self) -> None:
        """Nothing is stuck: with a receiver that takes everything, all that was planned ends."""
        for key in KEYS:
            self.owner_releases(key)
        for _ in range(self.planned + 2 * len(KEYS)):
            self.time_passes()
            self.read()
            while self.queue:
                self.attempt("taken")
        assert not self.stored


def key_of(one: Waiting) -> str:
    assert one.key is not None
    return one.key


TestLines = LaneAndStore.TestCase
TestLines.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
