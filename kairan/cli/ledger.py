"""`kairan ledger`: which publication brought how many members, from two CSV files, many folders, or a running stack."""

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
    """Print the publication ledger: extra joins after each publication, with ranges, evidence and verdicts.

    Of two files, without a stack: joins are counted by the hour (rows of one hour are summed, hours without a row are
    0, a row may say 0); the first and the last row bound the stream. Kinds: session_recording, minutes, article,
    magazine_issue, broadcast, and session (a held one, at its end). Of many (--streams): with --json one object a line.
    Without files: the ledger of the running stack. A fault in a file is named with its line; exit 2.
    """
    asked = Asked(joins, publications, streams, as_of, timezone, jobs, home, as_json)
    print_asked(asked, Printer(_object, _text, _running))


def _running(home: Home) -> Judged:
    from kairan.cli.running_ledger import Running

    return Running(home).ledger()


def _object(judged: Judged) -> Mapping[str, Any]:
    return judged.answer


def _text(judged: Judged) -> None:
    from kairan.cli.ledger_text import print_ledger  # rich takes a tenth of a second

    print_ledger(judged)
