"""The bodies that the OpenAPI document shows; each works as it stands, again and again."""

from typing import Any

from services.membership.importing import COLUMNS, MOST_ROWS

JOIN: dict[str, Any] = {
    "source": "publication",
    "reason": "work_problem",
    "organisation": "架空市役所",
    "prefecture": "北海道",
    "name": "回覧 花子",
    "introduction": "防災を担当しています。誰かいませんか?",
}
ERASE: dict[str, Any] = {"basis": "request"}
VOID: dict[str, Any] = {"reason_code": "duplicate"}
IMPORT = (
    "source,reason,organisation,prefecture,name\nreferral,invited,架空市役所,北海道,回覧 太郎\nunknown,,,,回覧 次郎\n"
)


def import_body() -> dict[str, Any]:
    """The OpenAPI of the import's body."""
    described = (
        f"UTF-8, a header line, at most {MOST_ROWS} rows; columns, in any order: {', '.join(COLUMNS)}. They mean what "
        "the fields of POST /v1/members mean; an empty cell is an absent field. A row without occurred_at comes from "
        "an old list: its joined_precision is unknown unless given. The columns occurred_at, recorded_at and "
        "joined_precision need the scope history:write."
    )
    schema = {"type": "string", "description": described, "pattern": _csv_pattern()}
    return {"requestBody": {"required": True, "content": {"text/csv": {"schema": schema, "example": IMPORT}}}}


def _csv_pattern() -> str:
    """RFC 4180 with these columns, none twice; rows may hold anything (what is wrong in one is its result)."""
    column = f"(?:{'|'.join(COLUMNS)})"
    none_twice = r"(?!(?:[a-z_]+,)*([a-z_]+),(?:[a-z_]+,)*\1(?:[,\r\n]|$))"
    cell = r'(?:"(?:[^"]|"")*"|[^",\r\n]*)'
    return rf"^{none_twice}{column}(?:,{column})*(?:\r?\n{cell}(?:,{cell})*)*$"
