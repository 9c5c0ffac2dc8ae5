"""Options that every command spells alike."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from kairan.stack.home import DEFAULT_HOME

HomeOption = Annotated[
    Path,
    typer.Option("--home", envvar="KAIRAN_HOME", file_okay=False, help="The folder of one stack, with all it holds."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON only on stdout.")]

DEFAULT = Path(DEFAULT_HOME)


def print_json(answer: Any) -> None:
    print(json.dumps(answer, indent=1, ensure_ascii=False, default=str), flush=True)
