"""The templates, made into HTML: the page, its live part, and the words at a locked door."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.metrics.domain.board import Board
from services.metrics.page.languages import WORDS
from services.metrics.page.view import view
from services.metrics.page.words import Language

HERE = Path(__file__).parent
STATIC = HERE / "static"
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, Cookie",
}


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(board: Board, lang: Language) -> str:
    """The whole document."""
    return _templates().get_template("page.html").render(view=view(board, lang), w=WORDS[lang])


def fragment(board: Board, lang: Language) -> str:
    """The part that changes while the page is open: today, chart, ledger."""
    return _templates().get_template("live.html").render(view=view(board, lang), w=WORDS[lang])


def door(lang: Language, *, title: str, text: str) -> str:
    """A page for who cannot come in (yet), in both languages, `lang` first. `title` and `text` name words."""
    both = [WORDS[lang], WORDS[WORDS[lang].other_lang]]
    said = [(words.lang, getattr(words, title), getattr(words, text)) for words in both]
    return _templates().get_template("door.html").render(said=said, w=WORDS[lang])
