"""What a receiver does, step by step: read from `steps.ja.md` and `steps.en.md`, which the documents repeat."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from shared.web.languages import Language

_STEP: Final = re.compile(r"^\d+\. \*\*(.+?)\*\* (.+)$", re.MULTILINE)


@cache
def text(language: Language) -> str:
    """The steps as a numbered list in Markdown."""
    return (Path(__file__).parent / f"steps.{language}.md").read_text(encoding="utf-8")


def steps(language: Language) -> list[tuple[str, str]]:
    """Each step: what to do, and why or how; backticks mark code."""
    return _STEP.findall(text(language))
