"""What stands beside the ledger in words: joint credit, restatements, unexplained spikes, series, the audit."""

from collections.abc import Mapping

from services.metrics.domain.board import Ledger, Row, Series
from services.metrics.page.words import Words
from shared.web.dates import moment_text, number

_PLAIN_THRESHOLD = 100.0


def joint_text(row: Row, words: Words, names: Mapping[str, str]) -> str:
    """The credit that a chain of publications shares; empty for one that stands alone."""
    if not row.joint_with:
        return ""
    others = words.joint_join.join(names.get(one, one) for one in row.joint_with)
    return words.joint.format(
        others=others, n=number(row.joint_credit), low=number(row.joint_low), high=number(row.joint_high)
    )


def restated_text(row: Row, words: Words) -> str:
    """Why the figures are others than they were; empty where they are not."""
    if row.restated is None:
        return ""
    causes = words.joint_join.join(words.causes[cause] for cause in row.restated.reasons)
    return words.restated.format(as_of=moment_text(row.restated.as_of, words.lang), causes=causes)


def spikes(ledger: Ledger, words: Words) -> tuple[str, ...]:
    """Spikes that no publication explains, the newest first."""
    return tuple(
        words.spike.format(
            start=moment_text(one.start, words.lang),
            end=moment_text(one.end, words.lang),
            n=number(one.extra),
            low=number(one.low),
            high=number(one.high),
        )
        for one in sorted(ledger.unexplained, key=lambda one: one.start, reverse=True)
    )


def series(ledger: Ledger, words: Words, titles: Mapping[str, str]) -> tuple[str, ...]:
    """All issues of a series together; a series goes by the title of its newest issue."""
    return tuple(_series(one, words, titles.get(one.series_id, one.series_id)) for one in ledger.series)


def audit(ledger: Ledger, words: Words) -> str:
    """How often the alarm rings for nothing; empty where nothing could be tried."""
    found = ledger.audit
    if not found.placebos:
        return ""
    said = words.audit.format(placebos=number(found.placebos), alarms=number(found.alarms))
    if found.threshold > _PLAIN_THRESHOLD:
        said += words.audit_raised.format(threshold=number(found.threshold))
    return said


def _series(one: Series, words: Words, title: str) -> str:
    issues = words.series_one if one.issues == 1 else words.series_others.format(issues=number(one.issues))
    return words.series_line.format(
        title=title,
        issues=issues,
        n=number(one.extra),
        low=number(one.low),
        high=number(one.high),
        verdict=words.growth.verdicts[one.verdict],
    )
