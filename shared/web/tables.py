"""Any answer as a table: CSV in UTF-8 with a header row, whose text no spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.responses import Response

from shared.web.times import utc_text

Format = Annotated[Literal["json", "csv"], Query(description="`csv`: a table in UTF-8 with a header row")]
CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "id,kind\r\n0f9a3d7c-5e21-4b88-a6d4-2c1b7e90f345,magazine_issue\r\n",
            }
        }
    }
}
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], name: str) -> Response:
    """A response of rows; what a row lacks is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "X-Content-Type-Options": "nosniff"}
    return Response(text.getvalue().encode(), headers=headers, media_type="text/csv; charset=utf-8")


def _cell(value: Any) -> str | int | float:
    """Numbers as they are; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return utc_text(value) or ""
    text = " ".join(value) if isinstance(value, list | tuple) else str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text
