"""Members come from a list: a result per row, and a repeat adds nobody twice."""

import uuid
from collections.abc import Mapping

import httpx
import pytest

from services.membership.importing import MOST_ROWS, read
from shared.catalogue import MemberJoined
from shared.web.problems import Problem
from tests.services.world import World


async def send(world: World, text: str | bytes, headers: Mapping[str, str] = {}) -> httpx.Response:
    return await world.http.post("/v1/members:import", content=text, headers={"Content-Type": "text/csv", **headers})


async def test_every_row_has_a_result_of_its_own(membership: World) -> None:
    taken = f"{uuid.uuid4().hex}@example.jp"
    text = (
        "\ufeffname,email,source,occurred_at,joined_precision\r\n"
        f"花子,{taken},referral,2021-04-01T09:00:00+09:00,day\r\n"
        "\r\n"
        f"太郎,{taken},,,\r\n"
        '"two\nlines",,,,\r\n'
        ",,search,1900-01-01T00:00:00Z,\r\n"
        "too,few\r\n"
        ",,,,\r\n"
    )
    answer = await send(membership, text)
    assert answer.status_code == 200
    found = answer.json()
    assert [(row["line"], row["status"]) for row in found["rows"]] == [
        (2, "created"),
        (4, "refused"),
        (5, "refused"),
        (7, "refused"),
        (8, "refused"),
        (9, "created"),
    ]
    assert (found["imported"], found["refused"]) == (2, 4)
    assert taken not in answer.text
    assert "two" not in answer.text
    assert await precision_of(membership, found["rows"][0]["id"]) == "day"
    assert await precision_of(membership, found["rows"][-1]["id"]) == "unknown"


async def precision_of(world: World, member_id: str) -> object:
    return (await world.http.get(f"/v1/members/{member_id}")).json()["joined_precision"]


async def test_a_dated_row_is_an_hour_unless_it_says_otherwise(membership: World) -> None:
    [row] = (await send(membership, "occurred_at\n2021-04-01T09:00:00+09:00\n")).json()["rows"]
    [joined] = await membership.published("kairan.member", row["id"])
    assert joined.data == MemberJoined(source="unknown", joined_precision="hour")


async def test_a_repeat_with_its_key_is_the_same_answer_and_nobody_new(membership: World) -> None:
    text = "name,email\n" + "".join(f"m{n},{uuid.uuid4().hex}@example.jp\n" for n in range(450))
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = await send(membership, text, key)
    members = await membership.store.collection("members").count_documents({})
    again = await send(membership, text, key)
    assert again.content == first.content
    assert again.json()["imported"] == 450
    assert await membership.store.collection("members").count_documents({}) == members
    assert (await send(membership, text + "one more,\n", key)).status_code == 422


async def test_an_import_that_was_cut_short_goes_on(membership: World) -> None:
    """As after a crash: some rows are members, the answer never came."""
    text = "name\n" + "".join(f"cut {n}\n" for n in range(30))
    key = {"Idempotency-Key": uuid.uuid4().hex}
    ids = [row["id"] for row in (await send(membership, text, key)).json()["rows"]]
    forgotten = await membership.store.collection("idempotency").delete_many({"resource_id": {"$in": ids[10:]}})
    assert forgotten.deleted_count == 20
    await membership.store.collection("members").delete_many({"_id": {"$in": ids[10:]}})
    again = (await send(membership, text, key)).json()
    assert [row["id"] for row in again["rows"]] == ids
    assert await membership.store.collection("members").count_documents({"_id": {"$in": ids}}) == 30


@pytest.mark.parametrize("column", ["occurred_at,2021-04-01T00:00:00Z", "joined_precision,unknown"])
async def test_history_is_not_for_everybody(membership: World, column: str) -> None:
    name, value = column.split(",")
    answer = await send(membership, f"{name}\n{value}\n", membership.as_caller("members:write"))
    assert answer.status_code == 403
    plain = await send(membership, f"{name},source\n,search\n", membership.as_caller("members:write"))
    assert plain.json()["imported"] == 1


@pytest.mark.parametrize(
    ("text", "word"),
    [("\n", "Line 1"), ("nickname\nx\n", "Line 1"), ("name,name\na,b\n", "Line 1"), ('name\na\n"b', "Line 3")],
)
async def test_an_unreadable_file_names_the_line(membership: World, text: str, word: str) -> None:
    answer = await send(membership, text)
    assert (answer.status_code, word in answer.json()["detail"]) == (422, True)


async def test_a_file_is_utf_8_and_csv(membership: World) -> None:
    assert (await send(membership, "name\n花子\n".encode("shift_jis"))).status_code == 400
    assert (await membership.http.post("/v1/members:import", json={})).status_code == 415


def test_a_file_has_a_bound() -> None:
    assert len(read("name\n" + "x\n" * MOST_ROWS)) == MOST_ROWS
    with pytest.raises(Problem) as refused:
        read("name\n" + "x\n" * (MOST_ROWS + 1))
    assert refused.value.status == 413
