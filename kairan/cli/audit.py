"""`kairan audit`: how often the alarm goes off where nothing was published, from files or from a running stack."""

from collections.abc import Mapping
from typing import Any

from kairan.cli.judging import Asked, Printer, print_asked
from kairan.cli.options import DEFAULT, HomeOption, JsonOption
from kairan.cli.own_streams import (
    AsOfOption,
    JobsOption,
    JoinsOption,
    PublicationsOption,
    StreamsOption,
    TimezoneOption,
)
from kairan.stack.home import Home
from kairan.year.judged import Judged


def command(
    joins: JoinsOption = None,
    publications: PublicationsOption = None,
    streams: StreamsOption = None,
    as_of: AsOfOption = None,
    timezone: TimezoneOption = None,
    jobs: JobsOption = None,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Print the placebo audit: the same alarm at past times without a publication, and what its threshold is.

    Of two files, of many folders (--streams; with --json one object a line), or without files of the running stack.
    """
    asked = Asked(joins, publications, streams, as_of, timezone, jobs, home, as_json)
    print_asked(asked, Printer(_object, _text, _running))


def _running(home: Home) -> Judged:
    from kairan.cli.running_ledger import Running

    return Running(home).audit()


def _object(judged: Judged) -> Mapping[str, Any]:
    from kairan.cli.false_alarms import FalseAlarms

    answer = judged.answer
    return {"stream": answer.get("stream"), "as_of": answer["as_of"], **FalseAlarms.of(answer["audit"]).as_json()}


def _text(judged: Judged) -> None:
    from kairan.cli.false_alarms import FalseAlarms

    name = f"{judged.answer['stream']}, as of" if "stream" in judged.answer else "As of"
    print(f"{name} {judged.answer['as_of']}")
    print(FalseAlarms.of(judged.answer["audit"]).in_words())
