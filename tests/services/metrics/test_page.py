"""The page's words and pictures, from a board, in both languages."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import pytest

from services.metrics.domain.board import Audit, Board, Cause, DayBar, Ledger, Restated, Row, Series, Spike, Title
from services.metrics.page import render
from services.metrics.page.english import ENGLISH
from services.metrics.page.japanese import JAPANESE
from services.metrics.page.languages import WORDS
from services.metrics.page.view import extra_text, view
from shared.web.dates import moment_text
from shared.web.languages import Language, choose

AS_OF = datetime(2022, 3, 31, 15, tzinfo=UTC)


def row(**changes: Any) -> Row:
    at = datetime(2022, 3, 10, 3, tzinfo=UTC)
    told: dict[str, Any] = {
        "id": "p1",
        "kind": "magazine_issue",
        "published_at": at,
        "window_from": at,
        "window_to": at + timedelta(hours=168),
        "complete": True,
        "observed": 81,
        "expected": 50.2,
        "extra": 30.8,
        "low": 18,
        "high": 44,
        "verdict": "clear",
        "alarm_at": None,
        "title": Title(ja="春の号", en="Spring <issue>"),
    }
    return Row(**told | changes)


def board(**changes: Any) -> Board:
    days = tuple(
        DayBar(day=date(2022, 3, 1) + timedelta(days=day), joins=day % 9, expected=6.8, low=3, high=12)
        for day in range(31)
    )
    told: dict[str, Any] = {
        "revision": 7,
        "now": AS_OF,
        "today_joins": 9,
        "members": 5100,
        "days": days,
    }
    said: dict[str, Any] = {"as_of": AS_OF, "publications": (row(),)}
    said |= {name: changes.pop(name) for name in Ledger.model_fields if name in changes and name != "joins"}
    return Board(**told | changes, ledger=Ledger(**said))


def test_today_in_one_sentence() -> None:
    assert view(board(), "en").sentence == (
        "As of 31 March 2022, 9 people joined today (3 to 12 would be usual), and the community has 5,100 members."
    )
    assert view(board(), "ja").sentence == (
        "2022年3月31日現在、きょうの参加は9人（ふだんは3〜12人）で、会員は5,100人です。"
    )


def test_a_day_that_is_not_over_is_compared_with_the_day_so_far() -> None:
    noon = AS_OF - timedelta(hours=12)
    said = view(board(as_of=noon, now=noon + timedelta(minutes=7), today_joins=1), "en").sentence
    assert said.startswith("As of 31 March 2022, 12:07, 1 person joined today (3 to 12 would be usual by now)")


def test_a_board_without_facts_says_so() -> None:
    for lang, words in WORDS.items():
        html = render.page(Board(), lang)
        assert words.nothing_yet in html
        assert words.ledger_empty in html


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "31 extra joins (18–44)"),
        ({"extra": 1.2, "low": 0, "high": 4}, "1 extra join (0–4)"),
        ({"extra": -7.4, "low": 0, "high": 8}, "no extra joins seen (0–8)"),
        ({"extra": 1234.0, "low": 1100, "high": 1380}, "1,234 extra joins (1,100–1,380)"),
    ],
)
def test_the_size_in_words(changes: dict[str, Any], said: str) -> None:
    assert extra_text(row(**changes), ENGLISH) == said


def test_the_ledger_is_told_in_both_languages() -> None:
    english, japanese = render.page(board(), "en"), render.page(board(), "ja")
    assert "Spring &lt;issue&gt;" in english
    assert "<issue>" not in english
    assert ENGLISH.growth.verdicts["clear"] in english
    assert "An unlisted event at the same time cannot be told apart." in english
    assert "春の号" in japanese
    assert "上乗せ31人（18〜44人）" in japanese
    assert "見分けることはできません" in japanese


def told_board() -> Board:
    late = Restated(as_of=AS_OF, reasons=("late_joins", "corrected"), changes=())
    joint = {"joint_with": ("p2",), "joint_credit": 48.4, "joint_low": 30.0, "joint_high": 66.0}
    rows = (
        row(verdict="likely", alarm_at=AS_OF - timedelta(days=20, hours=3), series_id="s", restated=late, **joint),
        row(id="p2", kind="session", title=None),
    )
    spike = Spike(start=AS_OF - timedelta(days=3), end=AS_OF - timedelta(days=2), extra=41.2, low=25.0, high=58.0)
    pooled = Series(series_id="s", issues=12, extra=210.4, low=120.0, high=300.0, verdict="clear")
    found = Audit(placebos=212, alarms=7, threshold=310.0)
    return board(publications=rows, unexplained=(spike,), series=(pooled,), audit=found)


def test_what_stands_beside_the_ledger_is_told_in_english() -> None:
    html = render.page(told_board(), "en")
    assert "Likely" in html
    assert "noticed 11 March 2022, 21:00" in html
    assert "together with Session: 48 joins (30–66)" in html
    assert "restated as of 31 March 2022: joins were reported late, a publication was corrected" in html
    assert "28 March 2022 to 29 March 2022: 41 joins more than usual (25–58)" in html
    assert "What was published?" in html
    assert "with the true moment as occurred_at" in html
    assert "Spring &lt;issue&gt;: 210 extra joins (120–300) after 12 issues. Clear" in html
    assert "At 212 past times without a publication, the same alarm rang 7 times." in html
    assert "needs evidence of 310 instead of 100" in html


def test_what_stands_beside_the_ledger_is_told_in_japanese() -> None:
    html = render.page(told_board(), "ja")
    assert "おそらく" in html
    assert "2022年3月11日21:00に気づきました" in html
    assert "勉強会・集まりと合わせて48人（30〜66人）" in html
    assert "2022年3月31日の時点の数字を書き直しました（参加が遅れて届いたため、公開が訂正されたため）" in html
    assert "ふだんより41人多く（25〜58人）" in html
    assert "何を公開しましたか？" in html
    assert "春の号：12件で上乗せ210人（120〜300人）。はっきり" in html
    assert "過去の212時点" in html


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_every_cause_has_words(lang: Language) -> None:
    assert set(WORDS[lang].causes) == set(get_args(Cause))


def test_no_japanese_is_left_in_the_english_page_but_the_way_to_japanese() -> None:
    html = render.page(told_board(), "en").replace(JAPANESE.site, "").replace("日本語", "")
    assert re.findall(r"[\u3040-\u30ff\u4e00-\u9fff]+", html) == []


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_every_kind_and_verdict_has_words(lang: Language) -> None:
    words = WORDS[lang]
    assert set(words.growth.kinds) == set(Row.model_fields["kind"].annotation.__args__)  # type: ignore[union-attr]
    verdicts = {"clear", "likely", "unclear", "too_little_data"}
    assert set(words.growth.verdicts) == set(words.growth.verdict_notes) == verdicts


def test_the_picture_has_a_title_a_description_and_a_mark_per_publication() -> None:
    html = render.fragment(board(publications=(row(), row(id="p2", verdict="unclear"))), "en")
    assert '<title id="chart-title">Joins per day, 1 March 2022 to 31 March 2022</title>' in html
    assert "2 publications are marked" in html
    assert html.count('<g class="m-') == 2
    assert 'class="band"' in html


def test_nothing_is_styled_or_scripted_inline() -> None:
    html = render.page(board(), "ja")
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", html)
    assert re.findall(r"<script[^>]*>", html) == ['<script src="/static/page.js" defer>']


@pytest.mark.parametrize(
    ("asked", "header", "chosen"),
    [
        ("en", "ja", "en"),
        ("xx", "en-GB,en;q=0.9,ja;q=0.8", "en"),
        (None, "fr,ja;q=0.5,en;q=0.4", "ja"),
        (None, "en;q=0", "ja"),
        (None, ";;q=x,,", "ja"),
        (None, None, "ja"),
    ],
)
def test_the_language_is_what_is_asked_then_what_the_browser_likes(
    asked: str | None, header: str | None, chosen: Language
) -> None:
    assert choose(asked, header) == chosen


def test_midnight_is_told_as_the_day_that_ends() -> None:
    assert moment_text(AS_OF, "en") == "31 March 2022"
    assert moment_text(AS_OF + timedelta(hours=1, minutes=5), "ja") == "2022年4月1日01:05"


def test_a_long_year_and_a_single_day_can_be_drawn() -> None:
    one = (DayBar(day=date(2022, 3, 31), joins=0),)
    many = tuple(DayBar(day=date(2021, 1, 1) + timedelta(days=n), joins=n * 37 % 5000) for n in range(400))
    for days in (one, many):
        html = render.fragment(board(days=days, publications=()), "en")
        assert "NaN" not in html
        assert "inf" not in re.sub(r"[a-z]*info[a-z]*", "", html)
