"""The plain form of `kairan ledger` and `kairan audit` on two files, understood without the parser.

The parser loads pydantic to convert values, which takes a fifth of the time that such a command has. Whatever is not of
this form to the letter, `--help` and mistakes above all, is the parser's.
"""

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

COMMANDS = ("ledger", "audit")
FILES = ("--joins", "--publications")
TEXTS = ("--as-of", "--timezone")


def quick_call(words: Sequence[str]) -> Callable[[], None] | None:
    """The command with its options, ready to be called; None where the parser has to look."""
    if not words or words[0] not in COMMANDS:
        return None
    given: dict[str, Path | str | bool] = {}
    rest = list(words[1:])
    while rest:
        option = rest.pop(0)
        name = "as_json" if option == "--json" else option.removeprefix("--").replace("-", "_")
        if name in given:
            return None
        if option == "--json":
            given[name] = True
        elif option not in (*FILES, *TEXTS) or not rest or not rest[0] or rest[0].startswith("-"):
            return None
        else:
            given[name] = Path(rest.pop(0)) if option in FILES else rest.pop(0)
    if not given.keys() >= {"joins", "publications"}:
        return None
    return partial(importlib.import_module(f"kairan.cli.{words[0]}").command, **given)
