"""A sentence in the form that each chat service takes, with nothing in it that one would read as markup. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import orjson

from services.notify.chat.sentences import Sentence

ChatKind = Literal["slack", "teams", "discord", "apprise"]

MOST_DISCORD_CHARACTERS: Final = 2_000
_SUPPRESS_EMBEDS: Final = 1 << 2
_DISCORD_MARKUP: Final = re.compile(r"([\\*_~`|<>\[\]#@])")
# Apprise hands the text on to services of which each has a markup of its own: full-width forms are in none of them.
_APPRISE_MARKUP: Final = str.maketrans({"<": "＜", ">": "＞", "@": "＠"})


def body_of(sentence: Sentence, kind: ChatKind) -> bytes:
    """The JSON to POST."""
    return orjson.dumps(_BODIES[kind](sentence))


def _slack(sentence: Sentence) -> dict[str, Any]:
    """`mrkdwn` off leaves only the three characters that Slack asks to have escaped; so no mention can be written."""
    text = sentence.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}


def _teams(sentence: Sentence) -> dict[str, Any]:
    """A card for a Workflows webhook; a RichTextBlock, because a TextBlock would read Markdown and `{{DATE()}}`."""
    paragraph = {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": sentence.text}]}
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [paragraph],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _discord(sentence: Sentence) -> dict[str, Any]:
    escaped = _DISCORD_MARKUP.sub(r"\\\1", sentence.text)
    # Discord counts UTF-16 units.
    shown = escaped.encode("utf-16-le")[: 2 * MOST_DISCORD_CHARACTERS].decode("utf-16-le", errors="ignore")
    return {"content": shown, "allowed_mentions": {"parse": []}, "flags": _SUPPRESS_EMBEDS}


def _apprise(sentence: Sentence) -> dict[str, Any]:
    title, text = (one.translate(_APPRISE_MARKUP) for one in (sentence.heading, sentence.text))
    return {"title": title, "body": text, "type": sentence.tone, "format": "text"}


_BODIES: Final[Mapping[ChatKind, Callable[[Sentence], dict[str, Any]]]] = {
    "slack": _slack,
    "teams": _teams,
    "discord": _discord,
    "apprise": _apprise,
}
