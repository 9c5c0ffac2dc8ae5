"""From the board to what the templates print: every number and date already in words of the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from services.metrics.domain.board import Board, DayBar, Row
from services.metrics.page import chart
from services.metrics.page.asides import audit, joint_text, restated_text, series, spikes
from services.metrics.page.languages import WORDS
from services.metrics.page.words import Words
from shared.clock import JST
from shared.web.dates import moment_text, number, short_day_text
from shared.web.languages import Language
from shared.words import growth

RECENT_DAYS = 14


@dataclass(frozen=True)
class LedgerLine:
    """One row of the table, in words."""

    id: str
    published: str
    published_iso: str
    kind: str
    title: str
    extra: str
    verdict: str
    verdict_word: str
    verdict_note: str
    counted: str
    window: str
    alarm: str
    joint: str
    restated: str


@dataclass(frozen=True)
class DayLine:
    """One row of the table of recent days."""

    day: str
    joins: str
    usual: str


@dataclass(frozen=True)
class View:
    """Everything that a template needs."""

    words: Words
    revision: int
    sentence: str
    chart: chart.Chart | None
    lines: tuple[LedgerLine, ...]
    spikes: tuple[str, ...]
    series: tuple[str, ...]
    audit: str
    days: tuple[DayLine, ...]
    ledger_caption: str


def view(board: Board, lang: Language) -> View:
    """The whole page in one language."""
    words = WORDS[lang]
    rows = sorted(board.publications, key=_newest_first)
    names = {row.id: _name(row, words) for row in rows}
    lines = tuple(_line(row, words, names) for row in rows)
    labels = {
        line.id: f"{line.published} {line.kind} {line.title}: {line.extra} ({line.verdict_word})" for line in lines
    }
    caption = words.ledger_caption.format(as_of=moment_text(board.as_of, lang)) if board.as_of else ""
    return View(
        words=words,
        revision=board.revision,
        sentence=sentence(board, words),
        chart=chart.draw(_drawn(board), board.publications, lang, labels),
        lines=lines,
        spikes=spikes(board.ledger, words),
        series=series(board.ledger, words, {row.series_id: names[row.id] for row in reversed(rows) if row.series_id}),
        audit=audit(board.ledger, words),
        days=tuple(_day(day, words) for day in reversed(board.days[-RECENT_DAYS:])),
        ledger_caption=caption or words.ledger_caption_empty,
    )


def sentence(board: Board, words: Words) -> str:
    """Today in one sentence."""
    if board.now is None or (board.as_of is None and not board.members):
        return words.nothing_yet
    joins = words.one_join if board.today_joins == 1 else words.many_joins.format(n=number(board.today_joins))
    text = words.today.format(as_of=moment_text(board.now, words.lang), joins=joins)
    usual = _usual_today(board)
    if usual:
        form = words.today_usual if _day_is_over(board) else words.today_usual_so_far
        text += form.format(low=number(usual[0]), high=number(usual[1]))
    return text + words.today_members.format(members=number(board.members))


def _day_is_over(board: Board) -> bool:
    """Whether the last known hour ends a day in Japan."""
    return board.as_of is not None and board.as_of.astimezone(JST).hour == 0


def _usual_today(board: Board) -> tuple[float, float] | None:
    """The band of today when today is a whole day of the chart."""
    if board.now is None or not board.days:
        return None
    last = board.days[-1]
    today = (board.now - timedelta(microseconds=1)).astimezone(JST).date()
    if last.day != today or last.low is None or last.high is None:
        return None
    return last.low, last.high


def _drawn(board: Board) -> tuple[DayBar, ...]:
    """The days of the chart; the band of a day that is not over would dip, so it waits."""
    if not board.days or _day_is_over(board):
        return board.days
    return (*board.days[:-1], board.days[-1].model_copy(update={"expected": None, "low": None, "high": None}))


def _newest_first(row: Row) -> tuple[float, str]:
    return (-row.published_at.timestamp(), row.id)


def _title(row: Row, words: Words) -> str:
    return (row.title.ja if words.lang == "ja" else row.title.en) if row.title else ""


def _name(row: Row, words: Words) -> str:
    return _title(row, words) or words.growth.kinds[row.kind]


def _line(row: Row, words: Words, names: Mapping[str, str]) -> LedgerLine:
    title = _title(row, words)
    window_to = moment_text(row.window_to, words.lang)
    return LedgerLine(
        id=row.id,
        published=short_day_text(row.published_at.astimezone(JST).date(), words.lang),
        published_iso=row.published_at.isoformat(),
        kind=words.growth.kinds[row.kind],
        title=title or ("" if row.kind == "session" else words.untitled),
        extra=extra_text(row, words),
        verdict=row.verdict,
        verdict_word=words.growth.verdicts[row.verdict],
        verdict_note=words.growth.verdict_notes[row.verdict],
        counted=words.counted.format(observed=number(row.observed), expected=number(row.expected)),
        window=words.complete if row.complete else words.running.format(until=window_to),
        alarm=words.alarm.format(at=moment_text(row.alarm_at, words.lang)) if row.alarm_at else "",
        joint=joint_text(row, words, names),
        restated=restated_text(row, words),
    )


def extra_text(row: Row, words: Words) -> str:
    """As `shared.words.growth.extra_text`, for a row of the ledger."""
    return growth.extra_text(row.extra, row.low, row.high, words.growth)


def _day(day: DayBar, words: Words) -> DayLine:
    known = day.low is not None and day.high is not None
    usual = f"{number(day.low or 0)}–{number(day.high or 0)}" if known else "—"
    return DayLine(short_day_text(day.day, words.lang), number(day.joins), usual)
