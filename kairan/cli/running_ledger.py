"""The ledger and the audit of a running stack, asked of its metrics service by its own token."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from kairan.cli.service_client import ServiceClient
from kairan.stack.errors import StackError
from kairan.stack.home import Home
from kairan.year.judged import Judged
from shared.clock import JST

NOT_BEGUN = date(1970, 1, 1)


class Running:
    """The metrics service of the stack in a home. Raises `StackError` where none runs."""

    def __init__(self, home: Home) -> None:
        try:
            self._metrics = ServiceClient(home, "metrics", ["growth:read"])
        except StackError as error:
            raise StackError(f"{error}; or give --joins FILE and --publications FILE, or --streams DIR") from None

    def ledger(self) -> Judged:
        """With the joins of its days. Raises `StackError`."""
        answer = self.read("/v1/ledger")
        days = self.read("/v1/joins?by=day")["rows"]
        first = _day(days[0]["from"]) if days else NOT_BEGUN
        titles = {row["id"]: (row.get("title") or {}).get("en") or row["id"] for row in answer["publications"]}
        return Judged(answer, titles, first, [row["joins"] for row in days])

    def audit(self) -> Judged:
        """Without titles and days. Raises `StackError`."""
        found = self.read("/v1/audit")
        return Judged({**found, "audit": found}, {}, NOT_BEGUN, [])

    def read(self, path: str) -> Mapping[str, Any]:
        """What metrics answers. Raises `StackError`."""
        return self._metrics.get(path)


def _day(text: str) -> date:
    return datetime.fromisoformat(text).astimezone(JST).date()
