"""Sentences for a chat: every event in both languages, honest about figures, harmless whatever a title holds."""

import re
import string
from dataclasses import fields
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.chat.bodies import MOST_DISCORD_CHARACTERS, ChatKind, body_of
from services.notify.chat.plain import MOST_CHARACTERS, plain
from services.notify.chat.sentences import WORDS, Known, Sentence, sentence_of
from services.notify.domain import CHAT_EVENTS, OFFERED
from services.notify.masking import masked
from shared.catalogue import CATALOGUE, Event, GrowthSpikeClosed, Title
from shared.web.languages import Language
from tests.contract.catalogue.golden_events import EXPECTED

KINDS: tuple[ChatKind, ...] = ("slack", "teams", "discord", "apprise")
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
TITLE = Title(ja="春の号", en="Spring issue")
KNOWN = Known(title=TITLE, delivery="msg_0e022443c99cf82e014cc89c7a8dd217")
HOSTILE = (
    "<!channel> @everyone <@U024BE7LH> *b* _i_ [a](https://e.example)\u202e\u2066\n\r\u0000\u200b"
    "{{DATE(0)}} &lt; `x` {n} ~s~ ||spoiler|| # h"
)


def example(name: str, **changes: Any) -> Event:
    event = EXPECTED[f"{name}.v1"]
    assert event.data is not None
    return Event(event.envelope, event.data.model_copy(update=changes))


def said(event: Event, lang: Language, known: Known = KNOWN) -> str:
    return sentence_of(event, known, lang).text


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("name", OFFERED)
def test_every_event_is_a_whole_sentence_in_both_languages(name: str, lang: Language) -> None:
    event = example(name)
    for known in (KNOWN, Known()):
        sentence = sentence_of(event, known, lang)
        for text in (sentence.text, sentence.heading):
            assert bool(JAPANESE.search(text)) == (lang == "ja"), text
            assert not re.search(r"[{}]|None|\s{2}", text), text
        assert sentence.text.endswith("。" if lang == "ja" else ".")
        assert event.envelope.id not in sentence.text
        if CATALOGUE.by_name(name).subject_is_person:
            assert event.envelope.subject not in sentence.text, "a chat names nobody"


def test_both_languages_fill_the_same_places() -> None:
    def places(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    for field in fields(WORDS["ja"]):
        one, other = (getattr(WORDS[lang], field.name) for lang in ("ja", "en"))
        if isinstance(one, str):
            assert places(one) == places(other), field.name
        elif isinstance(one, dict):
            assert {key: places(text) for key, text in one.items()} == {k: places(t) for k, t in other.items()}


def test_what_a_chat_hears_unasked_has_words_of_its_own() -> None:
    for name in CHAT_EVENTS:
        assert said(example(name), "en") != CATALOGUE.by_name(name).summary_en
        assert CATALOGUE.by_name(name).summary_en not in said(example(name), "en")


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("verdict", ["clear", "likely", "unclear", "too_little_data"])
def test_extra_joins_come_with_range_verdict_and_as_of(verdict: str, lang: Language) -> None:
    spike = example("growth-spike-detected", verdict=verdict, observed=40, expected=9.5, extra=30.5, low=20, high=41)
    text = said(spike, lang)
    growth = WORDS[lang].growth
    for part in (growth.verdicts[verdict], growth.verdict_notes[verdict], WORDS[lang].no_cause, "90"):
        assert part in text
    assert ("上乗せ30人（20〜41人）" if lang == "ja" else "30 extra joins (20–41)") in text
    assert ("春の号" if lang == "ja" else "Spring issue") in text
    assert ("日本時間" if lang == "ja" else "Japan time") in text


def test_a_title_that_is_not_known_is_said_not_to_be() -> None:
    spike = example("growth-spike-detected")
    assert "its title is not known here" in said(spike, "en", Known())
    assert "題はここではわかりません" in said(spike, "ja", Known())


def test_imported_history_is_called_so_and_news_is_not() -> None:
    closed = EXPECTED["growth-spike-closed.v1"]
    assert isinstance(closed.data, GrowthSpikeClosed)
    news = example("growth-spike-closed", as_of=closed.envelope.time)
    history = example("growth-spike-closed", as_of=closed.envelope.time.replace(year=closed.envelope.time.year + 1))
    assert WORDS["en"].imported not in said(news, "en")
    assert WORDS["en"].imported in said(history, "en")


def test_joint_credit_is_not_told_apart() -> None:
    alone = said(example("growth-spike-closed", joint_with=()), "en")
    together = said(example("growth-spike-closed", joint_with=("other",)), "en")
    assert "Credited to it" in alone
    assert "nobody can tell them apart" in together
    assert "Credited to it" not in together


def texts(body: Any) -> list[str]:
    """All strings in a body, wherever they stand."""
    if isinstance(body, dict):
        return [text for part in body.values() for text in texts(part)]
    if isinstance(body, list):
        return [text for part in body for text in texts(part)]
    return [body] if isinstance(body, str) else []


def hostile_body(kind: ChatKind, lang: Language) -> dict[str, Any]:
    published = example("archive-published", title=Title(ja=HOSTILE, en=HOSTILE))
    body: dict[str, Any] = orjson.loads(body_of(sentence_of(published, KNOWN, lang), kind))
    return body


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_title_is_plain_text_everywhere(kind: ChatKind, lang: Language) -> None:
    body = hostile_body(kind, lang)
    for text in texts(body):
        assert not re.search(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", text)
    if kind == "slack":
        assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", body["text"])
        assert body["mrkdwn"] is False
    elif kind == "teams":
        (card,) = body["attachments"]
        assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
        assert {block["type"] for block in card["content"]["body"]} == {"RichTextBlock"}  # which reads no Markdown
    elif kind == "discord":
        assert body["allowed_mentions"] == {"parse": []}
        assert not re.search(r"(?<!\\)(?:\\\\)*[*_~`|<>\[\]@#]", body["content"])
    else:
        assert not re.search(r"[<>@]", body["body"] + body["title"])
        assert (body["type"], body["format"]) == ("info", "text")


def test_discord_gets_what_it_takes() -> None:
    body = orjson.loads(body_of(Sentence("", "𠮷" * 3_000, "info"), "discord"))
    assert len(body["content"].encode("utf-16-le")) == 2 * MOST_DISCORD_CHARACTERS


@pytest.mark.parametrize(("name", "tone"), [("delivery-exhausted", "warning"), ("endpoint-disabled", "failure")])
def test_apprise_hears_how_bad_it_is(name: str, tone: str) -> None:
    body = orjson.loads(body_of(sentence_of(example(name), KNOWN, "ja"), "apprise"))
    assert body["type"] == tone
    assert KNOWN.delivery is not None
    assert KNOWN.delivery in body["body"]


@given(st.text(max_size=600))
def test_plain_text_is_one_bounded_line(text: str) -> None:
    line = plain(text)
    assert len(line) <= MOST_CHARACTERS
    assert line == line.strip()
    assert line.isprintable() or not line
    assert plain(line) == line


def test_ordinary_titles_stay_as_they_are() -> None:
    for title in ("Q&A: 課長に聞く（第3回）", "Ｊ：ジチタイワークス vol.12", "100 % sure?", "🎉 5,000"):
        assert plain(title) == title


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.slack.com/services/T000/B000/XXXXXXXXXXXXabcd", "https://hooks.slack.com/…/abcd"),
        (
            "https://prod-1.logic.azure.com/invoke?sp=x&sig=abcdefghijklmnopwxyz",
            "https://prod-1.logic.azure.com/…/wxyz",
        ),
        ("https://apprise.example.com/notify/abc", "https://apprise.example.com/…"),
        ("https://discord.com/api/webhooks/1/token-token/", "https://discord.com/…"),
    ],
)
def test_a_masked_url_tells_two_apart_and_opens_nothing(url: str, shown: str) -> None:
    assert masked(url) == shown
