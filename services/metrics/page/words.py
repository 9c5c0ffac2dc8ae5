"""Every word on the page, in Japanese and in English; a missing translation does not type-check."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Language = Literal["ja", "en"]
JST = ZoneInfo("Asia/Tokyo")
_A_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Words:
    """The texts of one language; `{name}` places are filled by the view."""

    lang: Language
    other_lang: Language
    other_language: str
    site: str
    tagline: str
    skip: str
    live_on: str
    live_off: str
    live_wait: str
    today_heading: str
    today: str
    today_usual: str
    today_usual_so_far: str
    today_members: str
    nothing_yet: str
    one_join: str
    many_joins: str
    chart_heading: str
    chart_title: str
    chart_desc: str
    chart_empty: str
    legend_joins: str
    legend_expected: str
    legend_band: str
    legend_mark: str
    table_of_days: str
    days_caption: str
    col_day: str
    col_joins: str
    col_usual: str
    ledger_heading: str
    ledger_caption: str
    ledger_caption_empty: str
    ledger_empty: str
    ledger_scroll: str
    col_published: str
    col_what: str
    col_extra: str
    col_verdict: str
    col_counted: str
    extra_one: str
    extra_many: str
    extra_none: str
    counted: str
    complete: str
    running: str
    alarm: str
    verdicts: dict[str, str]
    verdict_notes: dict[str, str]
    kinds: dict[str, str]
    honest_heading: str
    honest: tuple[str, ...]
    untitled: str
    up_to: str
    no_script: str
    purpose: str
    locked_title: str
    locked: str
    used_title: str
    used: str
    invalid_title: str
    invalid: str


JAPANESE = Words(
    lang="ja",
    other_lang="en",
    other_language="English",
    site="回覧",
    tagline="何を公開し、その後に何人が参加したか",
    skip="本文へ",
    live_on="自動更新中",
    live_off="接続が切れました。再接続しています",
    live_wait="接続しています",
    today_heading="きょう",
    today="{as_of}現在、きょうの参加は{joins}",
    today_usual="（ふだんは{low}〜{high}人）",
    today_usual_so_far="（この時刻までなら、ふだんは{low}〜{high}人）",
    today_members="で、会員は{members}人です。",
    nothing_yet="まだ何も数えられていません。最初の参加が記録されると、ここに表示されます。",
    one_join="1人",
    many_joins="{n}人",
    chart_heading="日ごとの参加",
    chart_title="日ごとの参加人数（{first}〜{last}）",
    chart_desc="棒は1日の参加人数、線は予想、帯は予想の90%の範囲、印は公開です。最多は{peak_day}の{peak}人。公開の印は{marks}件。",
    chart_empty="まだ丸一日分の記録がありません。",
    legend_joins="参加",
    legend_expected="予想",
    legend_band="予想の90%の範囲",
    legend_mark="公開（塗りは「はっきり」）",
    table_of_days="最近の日を表で見る",
    days_caption="最近の日ごとの参加人数（日本時間）",
    col_day="日",
    col_joins="参加",
    col_usual="ふだん（90%）",
    ledger_heading="公開の記録",
    ledger_caption="公開や集まりから168時間の参加。{as_of}まで。",
    ledger_caption_empty="公開や集まりから168時間の参加。",
    ledger_empty="まだ公開も集まりもありません。",
    ledger_scroll="公開の記録の表（横にスクロールできます）",
    col_published="公開",
    col_what="何を",
    col_extra="その後の上乗せ（90%の範囲）",
    col_verdict="確かさ",
    col_counted="実際 / 予想",
    extra_one="上乗せ1人（{low}〜{high}人）",
    extra_many="上乗せ{n}人（{low}〜{high}人）",
    extra_none="上乗せは見えません（0〜{high}人）",
    counted="{observed}人 / {expected}人",
    complete="168時間を数え終えました",
    running="{until}まで数えています",
    alarm="{at}に気づきました",
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
    honest_heading="読み方",
    honest=(
        "「上乗せ」は、その後の参加からふだんの予想を引いた人数です。公開が原因だという証明ではありません。",
        "同じころに、ここに載っていない別のできごとがあれば、見分けることはできません。",
        "紹介で続いた参加も含みます。遅れて届いた事実があれば、数字は書き直されます。",
    ),
    untitled="（題なし）",
    up_to="{as_of}まで",
    no_script="自動更新にはJavaScriptが要ります。なくても、再読み込みすれば最新の数字が見られます。",
    purpose="参加者を増やすことが目的ではありません。「誰かいませんか?」と呼ぶ一人が、誰かに出会うためのものです。",
    locked_title="入口のリンクが必要です",
    locked="このページは、一度だけ使えるリンクから開きます。運用する人に頼むか、端末で kairan link を実行します。",
    used_title="このリンクはもう使われました",
    used="リンクは一度しか使えません。新しいリンクを出すには、端末で kairan link を実行してください。",
    invalid_title="このリンクは使えません",
    invalid="期限が切れたか、正しくないリンクです。新しいリンクを出すには、端末で kairan link を実行してください。",
)

ENGLISH = Words(
    lang="en",
    other_lang="ja",
    other_language="日本語",
    site="Kairan",
    tagline="What was published, and how many joined after",
    skip="Skip to content",
    live_on="Updating live",
    live_off="Connection lost, reconnecting",
    live_wait="Connecting",
    today_heading="Today",
    today="As of {as_of}, {joins} today",
    today_usual=" ({low} to {high} would be usual)",
    today_usual_so_far=" ({low} to {high} would be usual by now)",
    today_members=", and the community has {members} members.",
    nothing_yet="Nothing has been counted yet. The first recorded join will appear here.",
    one_join="1 person joined",
    many_joins="{n} people joined",
    chart_heading="Joins per day",
    chart_title="Joins per day, {first} to {last}",
    chart_desc="Bars are the joins of a day, the line is what was expected, the band its 90 % range, "
    "the marks are publications. The highest day was {peak_day} with {peak}. {marks} publications are marked.",
    chart_empty="There is no full day on record yet.",
    legend_joins="joins",
    legend_expected="expected",
    legend_band="90 % range of the expected",
    legend_mark="publication (filled: clear)",
    table_of_days="Recent days as a table",
    days_caption="Joins of recent days (Japan time)",
    col_day="Day",
    col_joins="Joins",
    col_usual="Usual (90 %)",
    ledger_heading="Publication ledger",
    ledger_caption="Joins in the 168 hours after each publication or session, known up to {as_of}.",
    ledger_caption_empty="Joins in the 168 hours after each publication or session.",
    ledger_empty="No publication and no session yet.",
    ledger_scroll="Table of the publication ledger (scrolls sideways)",
    col_published="Published",
    col_what="What",
    col_extra="Extra joins after (90 % range)",
    col_verdict="How sure",
    col_counted="Observed / expected",
    extra_one="1 extra join ({low}–{high})",
    extra_many="{n} extra joins ({low}–{high})",
    extra_none="no extra joins seen (0–{high})",
    counted="{observed} / {expected}",
    complete="all 168 hours counted",
    running="counting until {until}",
    alarm="noticed {at}",
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
    honest_heading="How to read this",
    honest=(
        "“Extra joins after” is the joins that followed minus what would have been usual. "
        "It is no proof that the publication was the cause.",
        "An unlisted event at the same time cannot be told apart.",
        "People whom those who joined brought along are included. When a late fact arrives, the figures are restated.",
    ),
    untitled="(untitled)",
    up_to="up to {as_of}",
    no_script="Live updates need JavaScript. Without it, reload the page for the latest figures.",
    purpose="Growth is not the purpose. The purpose is that one person who asks “is anyone out there?” finds someone.",
    locked_title="This page opens with a link",
    locked="Open it with a one-time link: ask whoever runs this, or run kairan link in a terminal.",
    used_title="This link was already used",
    used="A link opens the page once. For a new one, run kairan link in a terminal.",
    invalid_title="This link does not work",
    invalid="It has expired or is not one of ours. For a new one, run kairan link in a terminal.",
)

WORDS: dict[Language, Words] = {"ja": JAPANESE, "en": ENGLISH}

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def choose(asked: str | None, accept_language: str | None) -> Language:
    """`?lang=` first, then the browser's wish, then Japanese."""
    if asked in ("ja", "en"):
        return "ja" if asked == "ja" else "en"
    for quality, tag in sorted(_wishes(accept_language or ""), key=lambda wish: -wish[0]):
        if quality > 0 and tag in ("ja", "en"):
            return "ja" if tag == "ja" else "en"
    return "ja"


def _wishes(header: str) -> list[tuple[float, str]]:
    wishes = []
    for part in header[:500].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wishes.append((float(quality or 1), tag.split("-")[0].lower()))
        except ValueError:
            continue
    return wishes


def day_text(day: date, lang: Language) -> str:
    """31 March 2022 · 2022年3月31日."""
    if lang == "ja":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def short_day_text(day: date, lang: Language) -> str:
    """31 Mar 2022 · 2022/3/31: for table cells."""
    if lang == "ja":
        return f"{day.year}/{day.month}/{day.day}"
    return f"{day.day} {_MONTHS[day.month - 1][:3]} {day.year}"


def month_text(day: date, lang: Language) -> str:
    """A month under the chart; January carries its year."""
    if lang == "ja":
        return f"{day.year}年" if day.month == 1 else f"{day.month}月"
    return str(day.year) if day.month == 1 else _MONTHS[day.month - 1][:3]


def moment_text(moment: datetime, lang: Language) -> str:
    """A moment in Japan time; midnight is told as the end of the day before, as people say it."""
    local = moment.astimezone(JST)
    if (local.hour, local.minute) == (0, 0):
        return day_text((moment - _A_MINUTE).astimezone(JST).date(), lang)
    joint = "" if lang == "ja" else ", "
    return f"{day_text(local.date(), lang)}{joint}{local:%H:%M}"


def number(value: float) -> str:
    """1,234; a true minus sign."""
    return f"{round(value):,}".replace("-", "−")
