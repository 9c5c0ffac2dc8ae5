"""How a recorded stream is cut into lists."""

from datetime import UTC, datetime, timedelta
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from kairan.year.csv_streams import Arrived, Stream
from kairan.year.stream_player import CHUNK_JOINS, _chunks, _table

START = datetime(2021, 1, 1, tzinfo=UTC)
rows = st.lists(st.integers(1, 3 * CHUNK_JOINS), max_size=12)


@given(rows)
def test_every_join_is_in_one_list_in_order_of_time(found: list[int]) -> None:
    arrived = tuple(Arrived(START + timedelta(hours=i), count) for i, count in enumerate(found))
    chunks = list(_chunks(Stream("s", START, START + timedelta(hours=99), arrived, ())))
    sizes = [sum(row.joins for row in chunk) for chunk in chunks]
    assert all(size == CHUNK_JOINS for size in sizes[:-1])
    assert all(0 < size <= CHUNK_JOINS for size in sizes)
    flat = [row for chunk in chunks for row in chunk]
    summed = [(hour, sum(row.joins for row in same)) for hour, same in groupby(flat, key=lambda row: row.hour)]
    assert summed == [(row.hour, row.joins) for row in arrived]


def test_a_source_is_named_by_what_the_services_call_it() -> None:
    chunk = [Arrived(START, 2, "vol1"), Arrived(START, 1, "elsewhere"), Arrived(START, 1)]
    lines = _table(chunk, {"vol1": "0-1"}, {"vol1": "session"}).splitlines()
    assert lines == [
        "source,source_ref,joined_precision,occurred_at",
        "session,0-1,hour,2021-01-01T00:00:00Z",
        "session,0-1,hour,2021-01-01T00:00:00Z",
        "publication,elsewhere,hour,2021-01-01T00:00:00Z",
        "unknown,,hour,2021-01-01T00:00:00Z",
    ]
