"""The templates, made into HTML: the page, its live part, and the words at a locked door."""

from functools import cache
from pathlib import Path

from jinja2 import Environment

from services.metrics.domain.board import Board
from services.metrics.page.languages import WORDS
from services.metrics.page.view import view
from shared.web.languages import Language
from shared.web.pages import headers_of_pages, templates_in

HERE = Path(__file__).parent
STATIC = HERE / "static"
HEADERS = headers_of_pages(scripts=True)


@cache
def _templates() -> Environment:
    return templates_in(HERE / "templates", "/static")


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
