"""`kairan endpoints check`: would an address be accepted as a webhook's, and why not; nothing is sent."""

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from kairan.cli.options import JsonOption
from kairan.cli.printable import forgive_stdout, printable
from kairan.stack.errors import BadSetting

if TYPE_CHECKING:
    from services.notify.app import Judgement

REFUSED, USAGE = 1, 2
_AT_ONCE = 16

UrlArgument = Annotated[list[str] | None, typer.Argument(metavar="[URL]...", help="Addresses as an owner gives them.")]
CasesOption = Annotated[
    Path | None,
    typer.Option("--cases", help="Judge the lines of this file instead: JSON objects with url, dns, response, policy."),
]


def check(urls: UrlArgument = None, cases: CasesOption = None, as_json: JsonOption = False) -> None:
    """Say of each URL, without sending anything, whether it would be accepted as an endpoint's, and why not.

    Names are looked up once by the system's resolver, for 3 s at most; KAIRAN_NOTIFY_ALLOW_PRIVATE, KAIRAN_NOTIFY_PORTS
    and KAIRAN_NOTIFY_SELF_HOSTS count as they do for the service. Exit 0: all are allowed; 1: one is refused.

    With --cases each line says itself what its name resolves to at each lookup (`dns`), what is answered (`response`)
    and under which policy; nobody else is asked. One JSON object a line: url, verdict (allow or refuse), stage (parse,
    resolve, redirect; connect: it would be dialled), reason. Exit 0: all were judged, whatever the verdicts; 2: the
    file cannot be read or a line is no case (named, after the others were judged).
    """
    if bool(urls) == (cases is not None):
        _say("give URLs, or --cases FILE")
        raise typer.Exit(USAGE)
    if cases is not None:
        _check_cases(cases)
    else:
        _check_urls(urls or [], as_json=as_json)


def _check_urls(urls: Sequence[str], *, as_json: bool) -> None:
    forgive_stdout()
    found = asyncio.run(_judged(urls))
    for one in found:
        print(_as_json(one) if as_json else _as_text(one), flush=True)
    if any(one.verdict == "refuse" for one in found):
        raise typer.Exit(REFUSED)


async def _judged(urls: Sequence[str]) -> "list[Judgement]":
    from services.notify.app import checking  # it loads the whole service

    try:
        check = checking()
    except ValidationError as error:
        raise BadSetting(f"a setting cannot be used: {_faults(error)}") from None
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(url: str) -> "Judgement":
        async with free:
            return await check(url)

    return await asyncio.gather(*map(one, urls))


def _faults(error: ValidationError) -> str:
    return "; ".join(f"KAIRAN_{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors())


def _check_cases(path: Path) -> None:
    try:
        raw = path.read_bytes()
    except OSError as error:
        _say(f"{path}: cannot be read: {error.strerror}")
        raise typer.Exit(USAGE) from None
    faults = asyncio.run(_judge_lines(raw))
    if not raw.strip():
        faults = ["holds no case"]
    for fault in faults:
        _say(f"{path}: {fault}")
    if faults:
        raise typer.Exit(USAGE)


async def _judge_lines(raw: bytes) -> list[str]:
    """Prints the judgements, and returns in words, with its line, what could not be judged."""
    from services.notify.app import check_case

    faults = []
    for number, line in _lines(raw):
        try:
            print(_as_json(await check_case(line.decode())), flush=True)
        except ValueError as error:
            words = "not UTF-8" if isinstance(error, UnicodeError) else str(error)
            faults.append(f"line {number}: {words}")
    return faults


def _lines(raw: bytes) -> Iterator[tuple[int, bytes]]:
    # Only at line feeds: a hostile URL may hold what `splitlines` takes for the end of one.
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            yield number, line


def _as_json(found: "Judgement") -> str:
    # In ASCII: a hostile URL may hold what a terminal obeys or a reader takes for the end of a line.
    return json.dumps({"url": found.url, "verdict": found.verdict, "stage": found.stage, "reason": found.reason})


def _as_text(found: "Judgement") -> str:
    url = printable(found.url)
    if found.verdict == "allow":
        return f"allowed  {url}  ({', '.join(map(str, found.addresses))})"
    return f"refused  {url}  at {found.stage}: {found.reason}"


def _say(line: str) -> None:
    print(f"kairan: {line}", file=sys.stderr, flush=True)
