"""What late facts changed is told with its reason; news waits until ingest has caught up and the ledger stands."""

from datetime import timedelta

from services.metrics.domain.board import Ledger, Restated, Row
from services.metrics.domain.news import Told, spikes, with_alarms
from services.metrics.domain.restating import restated, settled
from services.metrics.domain.settled import SETTLE_S, Settling
from tests.services.metrics.test_page import AS_OF, row


def ledger(*rows: Row, joins: int = 500) -> Ledger:
    return Ledger(as_of=AS_OF, joins=joins, publications=rows)


def compared(before: Ledger, now: Ledger) -> dict[str, Restated]:
    known = settled(before)
    assert known is not None
    return restated(known, now, revision=8)


def test_the_same_ledger_restates_nothing() -> None:
    assert compared(ledger(row()), ledger(row(extra=31.2, expected=49.8))) == {}


def test_late_joins_restate_what_they_change() -> None:
    (found,) = compared(ledger(row()), ledger(row(observed=85, extra=34.8, verdict="likely"), joins=504)).values()
    assert (found.reasons, found.as_of, found.revision) == (("late_joins",), AS_OF, 8)
    assert [(one.field, one.before, one.after) for one in found.changes] == [
        ("observed", 81.0, 85.0),
        ("extra", 30.8, 34.8),
        ("verdict", "clear", "likely"),
    ]


def test_fewer_joins_were_voided() -> None:
    (found,) = compared(ledger(row()), ledger(row(observed=80, extra=29.8), joins=499)).values()
    assert found.reasons == ("voided",)


def test_a_late_publication_restates_its_neighbours() -> None:
    found = compared(ledger(row()), ledger(row(credit=12.0), row(id="p2")))
    assert (found["p1"].reasons, found["p2"].reasons) == (("late_publication",), ("late_publication",))
    assert [(one.field, one.before, one.after) for one in found["p2"].changes][-1] == ("verdict", None, "clear")


def test_a_correction_and_a_withdrawal_say_so() -> None:
    moved = row(published_at=AS_OF - timedelta(days=9), observed=40)
    found = compared(ledger(row(), row(id="p2")), ledger(moved))
    assert (found["p1"].reasons, found["p2"].reasons) == (("corrected",), ("withdrawn",))
    assert ("published_at", "2022-03-10T03:00:00Z", "2022-03-22T15:00:00Z") in [
        (one.field, one.before, one.after) for one in found["p1"].changes
    ]


def test_other_figures_from_the_same_facts_were_computed_anew() -> None:
    (found,) = compared(ledger(row()), ledger(row(low=12))).values()
    assert found.reasons == ("recomputed",)


def test_an_alarm_once_told_stays_unless_its_publication_was_later() -> None:
    told_at = row().window_from + timedelta(hours=5)
    alarms = {("all", "p1"): told_at}
    assert with_alarms(ledger(row(alarm_at=None)), alarms).publications[0].alarm_at == told_at
    later = row(window_from=told_at + timedelta(days=1), alarm_at=None)
    assert with_alarms(ledger(later), alarms).publications[0].alarm_at is None


def test_what_was_told_is_no_news_and_ids_belong_to_their_stream() -> None:
    found = ledger(row(alarm_at=AS_OF - timedelta(days=20)))
    told = Told()
    news = list(spikes(found, told))
    assert [one.about.what for one in news] == ["detected", "closed"]
    assert [told.note(one) for one in news] == [1, 2]
    assert list(spikes(found, told)) == []
    elsewhere = list(spikes(found.model_copy(update={"stream": "theme:care"}), told))
    assert {one.about.id for one in elsewhere}.isdisjoint(one.about.id for one in news)
    assert [getattr(one.data, "theme_id", "") for one in elsewhere] == ["care", "care"]


def test_nobody_is_woken_by_an_alarm_of_a_stream_with_too_little_data() -> None:
    early = ledger(row(alarm_at=AS_OF - timedelta(days=20), verdict="too_little_data"))
    told = Told()
    assert list(spikes(early, told)) == []
    for one in spikes(ledger(row(alarm_at=AS_OF - timedelta(days=20), complete=False)), told):
        told.note(one)
    assert [one.about.what for one in spikes(early, told)] == ["closed"]  # it was told that it had begun


def test_a_claim_settles_when_ingest_had_caught_up_and_a_later_ledger_repeats_it() -> None:
    settling = Settling()
    settling.see(["alarm"], made_at=10.0)
    assert not settling.asks(10.0 + SETTLE_S / 2)
    assert settling.asks(12.0)
    settling.caught_up(12.0)
    assert settling.settled(12.0) == set()
    assert settling.settled(12.0 + SETTLE_S) == {"alarm"}


def test_a_claim_that_changes_waits_anew() -> None:
    settling = Settling()
    settling.see(["alarm at 3"], made_at=10.0)
    settling.caught_up(12.0)
    settling.see(["alarm at 4"], made_at=12.5)
    assert settling.settled(20.0) == set()
    assert settling.asks(12.5 + SETTLE_S)
    settling.see([], made_at=20.0)
    assert not settling.waits
