"""How extra joins and their certainty are said, on the page and in a chat alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.web.dates import number


@dataclass(frozen=True)
class GrowthWords:
    """The texts of one language; `verdicts` and `kinds` by their names on the bus."""

    extra_one: str
    extra_many: str
    extra_none: str
    verdicts: Mapping[str, str]
    verdict_notes: Mapping[str, str]
    kinds: Mapping[str, str]


JAPANESE: Final = GrowthWords(
    extra_one="上乗せ1人（{low}〜{high}人）",
    extra_many="上乗せ{n}人（{low}〜{high}人）",
    extra_none="上乗せは見えません（0〜{high}人）",
    verdicts={
        "clear": "はっきり",
        "likely": "おそらく",
        "unclear": "わからない",
        "too_little_data": "データ不足",
    },
    verdict_notes={
        "clear": "この期間の参加は、偶然では説明しにくい多さです",
        "likely": "ふだんより多そうですが、偶然かもしれません",
        "unclear": "ふだんの揺れか、別のできごとかもしれません",
        "too_little_data": "この前の記録が42日に足りません",
    },
    kinds={
        "session_recording": "録画",
        "minutes": "議事録",
        "article": "記事",
        "magazine_issue": "雑誌の号",
        "broadcast": "庁内放送",
        "session": "勉強会・集まり",
    },
)

ENGLISH: Final = GrowthWords(
    extra_one="1 extra join ({low}–{high})",
    extra_many="{n} extra joins ({low}–{high})",
    extra_none="no extra joins seen (0–{high})",
    verdicts={
        "clear": "Clear",
        "likely": "Likely",
        "unclear": "Unclear",
        "too_little_data": "Too little data",
    },
    verdict_notes={
        "clear": "more joins than chance readily explains",
        "likely": "probably more than usual, but it may be chance",
        "unclear": "may be the usual ups and downs, or something else",
        "too_little_data": "fewer than 42 days on record before it",
    },
    kinds={
        "session_recording": "Session recording",
        "minutes": "Minutes",
        "article": "Article",
        "magazine_issue": "Magazine issue",
        "broadcast": "Broadcast",
        "session": "Session",
    },
)


def extra_text(extra: float, low: float, high: float, words: GrowthWords) -> str:
    """ "31 extra joins (18–44)"; what is not above the expectation is said to be not seen."""
    whole = round(extra)
    if whole <= 0:
        return words.extra_none.format(high=number(high))
    form = words.extra_one if whole == 1 else words.extra_many
    return form.format(n=number(extra), low=number(low), high=number(high))
