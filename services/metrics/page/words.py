"""What the page says: every text by its name; a language that lacks one does not type-check."""

from dataclasses import dataclass

from shared.web.languages import Language
from shared.words.growth import GrowthWords


@dataclass(frozen=True)
class Words:
    """The texts of one language; `{name}` places are filled by the view."""

    growth: GrowthWords
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
    counted: str
    complete: str
    running: str
    alarm: str
    joint: str
    joint_join: str
    restated: str
    causes: dict[str, str]
    spikes_heading: str
    spike: str
    spike_ask: str
    spike_answer: str
    series_heading: str
    series_line: str
    series_others: str
    series_one: str
    audit: str
    audit_raised: str
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
