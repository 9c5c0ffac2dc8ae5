"""Streams from files: what is read, and the words for what cannot be."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kairan.year import csv_joins
from kairan.year.csv_rules import Rules
from kairan.year.csv_streams import KINDS, Arrived, BadInput, Stream, read_folders, read_stream, read_time
from kairan.year.csv_table import Table

PUBLICATIONS = "id,kind,published_at,title_en\na,article,2021-01-01T05:30:00Z,First\n"
JOINS = "occurred_at,joins\n2021-01-01T00:00:00Z,3\n2021-01-02T09:00:00Z,1\n"
HOUR = timedelta(hours=1)
ONE_FOLDER = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)  # every example writes its files anew


def read(folder: Path, joins: str | bytes = JOINS, publications: str | bytes = PUBLICATIONS, zone: str = "") -> Stream:
    paths = folder / "j.csv", folder / "p.csv"
    for path, content in zip(paths, (joins, publications), strict=True):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_stream(*paths, ZoneInfo(zone) if zone else None)


def test_the_first_and_the_last_row_bound_the_stream(tmp_path: Path) -> None:
    stream = read(
        tmp_path, "occurred_at,joins\n2021-01-01T00:59:00Z,0\n2021-01-02T00:00:00Z,4\n2021-01-09T00:00:00Z,0\n"
    )
    assert stream.start == datetime(2021, 1, 1, tzinfo=UTC)
    assert stream.end == datetime(2021, 1, 9, 1, tzinfo=UTC)
    assert stream.arrived == (Arrived(datetime(2021, 1, 2, tzinfo=UTC), 4),)
    assert stream.joins == 4


def test_rows_of_one_hour_are_summed_in_any_order(tmp_path: Path) -> None:
    stream = read(
        tmp_path,
        "joins,occurred_at,source_ref\n2,2021-01-01T10:59:59+09:00,a\n"
        "5,2021-01-03T00:00:00Z,\n1,2021-01-01T01:00:00Z,a\n7,2021-01-01T01:30:00Z,\n",
    )
    hour = datetime(2021, 1, 1, 1, tzinfo=UTC)
    assert stream.arrived[:2] == (Arrived(hour, 7), Arrived(hour, 3, "a"))


def test_a_time_without_a_zone_needs_one(tmp_path: Path) -> None:
    joins = "occurred_at,joins\n2021-01-01 09:00:00,3\n2021-01-02 09:00:00,1\n"
    with pytest.raises(BadInput, match="--timezone"):
        read(tmp_path, joins)
    assert read(tmp_path, joins, zone="Asia/Tokyo").start == datetime(2021, 1, 1, tzinfo=UTC)


def test_a_publication_keeps_its_id_and_both_titles(tmp_path: Path) -> None:
    text = "id,kind,published_at,title_en,title_ja,series_id,theme\n第1号,session,2021-01-01T05:30:00Z,One,一,s,t\n"
    found = read(tmp_path, publications=text).published[0]
    assert (found.id, found.kind, found.title_en, found.title_ja) == ("第1号", "session", "One", "一")
    assert (found.series_id, found.theme) == ("s", "t")
    assert read(tmp_path).published[0].title_ja == "First"


def test_a_byte_order_mark_windows_lines_and_other_columns_do_no_harm(tmp_path: Path) -> None:
    joins = b"\xef\xbb\xbfoccurred_at,note,joins\r\n2021-01-01T00:00:00Z,hm,3\r\n\r\n2021-01-02T00:00:00Z,,1\r\n"
    assert read(tmp_path, joins).joins == 4


P = "id,kind,published_at,title_en\n"


@pytest.mark.parametrize(
    ("joins", "publications", "words"),
    [
        ("", PUBLICATIONS, "j.csv: is empty"),
        ("occurred_at,joins\n", PUBLICATIONS, "j.csv: has no rows"),
        ("occurred_at\n2021-01-01T00:00:00Z\n", PUBLICATIONS, "j.csv, line 1: misses the column joins"),
        ("occurred_at,joins,joins\n", PUBLICATIONS, "line 1: the column joins stands there twice"),
        ("occurred_at,joins\n2021-01-01T00:00:00Z,-1\n", PUBLICATIONS, "line 2: joins: '-1' is not a number of people"),
        ("occurred_at,joins\n2021-01-01T00:00:00Z,1.5\n", PUBLICATIONS, "line 2: joins"),
        ("occurred_at,joins\n2021-01-01T00:00:00Z,\n", PUBLICATIONS, "line 2: joins"),
        ("occurred_at,joins\n2021-01-01T00:00:00Z,99999999\n", PUBLICATIONS, "line 2: more than"),
        ("occurred_at,joins\n\nyesterday,1\n", PUBLICATIONS, "line 3: occurred_at: 'yesterday' is not a time"),
        ("occurred_at,joins\n2221-01-01T00:00:00Z,1\n", PUBLICATIONS, "line 2: occurred_at: .* between 1970 and now"),
        ("occurred_at,joins\n2021-01-01T00:00:00Z\n", PUBLICATIONS, "line 2: 1 cells, but the header has 2"),
        ('occurred_at,joins\n"2021,1\n', PUBLICATIONS, "is not CSV"),
        ("occurred_at,joins,source_ref\n2021-01-01T00:00:00Z,1,a b\n", PUBLICATIONS, "line 2: source_ref"),
        (b"occurred_at,joins\n\xff\xfe,1\n", PUBLICATIONS, "line 2: is not UTF-8"),
        (JOINS, "", "p.csv: is empty"),
        (JOINS, "id,kind,published_at\n", "p.csv, line 1: misses the column title_en"),
        (JOINS, P + "a,podcast,2021-01-01T05:30:00Z,x\n", "line 2: kind 'podcast' is not known; kinds: session_rec"),
        (JOINS, P + ",article,2021-01-01T05:30:00Z,x\n", "line 2: id is empty"),
        (JOINS, PUBLICATIONS + "a,article,2021-01-01T05:30:00Z,x\n", "line 3: the id 'a' stands in line 2 already"),
        (JOINS, P + "a,article,2020-12-31T23:59:59Z,x\n", "line 2: published_at .* outside the stream"),
        (JOINS, P + "a,article,2021-01-02T10:00:01Z,x\n", "line 2: published_at .* outside the stream"),
        (JOINS, P + f"a,article,2021-01-01T05:30:00Z,{'x' * 301}\n", "line 2: title_en"),
        (JOINS, PUBLICATIONS.encode("utf-16"), "is not UTF-8"),
    ],
)
def test_what_cannot_be_used_is_named(
    tmp_path: Path, joins: str | bytes, publications: str | bytes, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        read(tmp_path, joins, publications)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.csv: cannot be read"):
        read_stream(tmp_path / "none.csv", tmp_path / "none.csv")


def test_a_stream_can_be_cut_at_an_earlier_hour(tmp_path: Path) -> None:
    stream = read(tmp_path).cut_at(datetime(2021, 1, 1, 5, tzinfo=UTC))
    assert (stream.joins, stream.published, stream.end) == (3, (), datetime(2021, 1, 1, 5, tzinfo=UTC))
    for wrong in (datetime(2021, 1, 1, 5, 30, tzinfo=UTC), datetime(2021, 1, 3, tzinfo=UTC), stream.start):
        with pytest.raises(ValueError, match=r"--as-of"):
            stream.cut_at(wrong)


def test_folders_that_have_both_files_are_streams(tmp_path: Path) -> None:
    for name in ("b", "a", "only-joins"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "joins.csv").write_text(JOINS)
        if name != "only-joins":
            (tmp_path / name / "publications.csv").write_text(PUBLICATIONS)
    assert [stream.name for stream in read_folders(tmp_path)] == ["a", "b"]
    with pytest.raises(BadInput, match="no folder in it has both"):
        read_folders(tmp_path / "a")
    with pytest.raises(BadInput, match="is not a folder"):
        read_folders(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "0001-01-01T00:00:00+14:00", "2021-13-01", "1", "12:00"])
def test_a_time_that_is_none_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time|has no time zone"):
        read_time(text, None)


# A text says no fold: of an hour that a clock shows twice, or never, it means the first reading.
moments = st.datetimes(datetime(2000, 1, 1), datetime(2024, 12, 31)).map(lambda at: at.replace(fold=0))  # noqa: DTZ001
rows = st.lists(st.tuples(moments, st.integers(0, 50), st.sampled_from(("", "a", "b.2"))), min_size=1, max_size=40)


@settings(max_examples=60, suppress_health_check=ONE_FOLDER)
@example([(datetime(2010, 3, 14, 2, 30), 1, "")], "America/New_York")  # noqa: DTZ001  there was no such hour
@example([(datetime(2010, 11, 7, 1, 30), 1, "")], "America/New_York")  # noqa: DTZ001  there were two
@given(rows, st.sampled_from(("UTC", "Asia/Tokyo", "America/New_York")))
def test_no_join_is_lost_or_moved(tmp_path: Path, found: list[tuple[datetime, int, str]], zone: str) -> None:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("occurred_at", "joins", "source_ref"))
    table.writerows((moment.isoformat(), count, ref) for moment, count, ref in found)
    stream = read(tmp_path, text.getvalue(), P, zone)
    utc = [(moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC), count, ref) for moment, count, ref in found]
    expected: Counter[tuple[datetime, str | None]] = Counter()
    for moment, count, ref in utc:
        expected[moment.replace(minute=0, second=0, microsecond=0), ref or None] += count
    assert {(one.hour, one.source_ref): one.joins for one in stream.arrived} == +expected
    assert [one.hour for one in stream.arrived] == sorted(one.hour for one in stream.arrived)
    assert stream.start <= min(moment for moment, _, _ in utc) < stream.start + HOUR
    assert stream.end - HOUR <= max(moment for moment, _, _ in utc) < stream.end


@settings(max_examples=200, suppress_health_check=ONE_FOLDER)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.sampled_from(("", JOINS, P, PUBLICATIONS)))
def test_whatever_stands_in_a_file_is_read_or_refused_in_words(tmp_path: Path, content: bytes, before: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(before.encode() + content)
    refusals = []
    for joins, publications in ((path, tmp_path / "p.csv"), (tmp_path / "j.csv", path)):
        (tmp_path / "j.csv").write_text(JOINS)
        (tmp_path / "p.csv").write_text(PUBLICATIONS)
        try:
            found = read_stream(joins, publications)
        except BadInput as error:
            refusals.append(str(error))
            continue
        assert all(one.kind in KINDS for one in found.published)
    assert all(words.startswith(str(path)) or "outside the stream" in words for words in refusals)


def test_a_source_may_be_a_publication_or_any_other(tmp_path: Path) -> None:
    joins = "occurred_at,joins,source_ref\n2021-01-01T00:00:00Z,1,第1号\n2021-01-02T09:00:00Z,2,referral\n"
    publications = P + "第1号,article,2021-01-01T00:30:00Z,x\n"
    found = read(tmp_path, joins, publications)
    assert [one.source_ref for one in found.arrived] == ["第1号", "referral"]
    with pytest.raises(BadInput, match=r"j.csv, line 3: source_ref: '第2号' is not an id"):
        read(tmp_path, joins.replace("referral", "第2号"), publications)


def test_a_stream_that_is_only_counted_may_lie_ahead_and_use_names_in_japanese(tmp_path: Path) -> None:
    (tmp_path / "j.csv").write_text(
        "occurred_at,joins,source_ref\n2130-01-01T00:00:00Z,1,口コミ\n2130-01-02T00:00:00Z,1,\n"
    )
    (tmp_path / "p.csv").write_text(
        "id,kind,published_at,title_en,series_id,theme\na,minutes,2130-01-01T05:30:00Z,x,議事録,子育て\n"
    )
    found = read_stream(tmp_path / "j.csv", tmp_path / "p.csv", rules=Rules.counted())
    assert (found.published[0].series_id, found.published[0].theme) == ("議事録", "子育て")
    with pytest.raises(BadInput, match=r"j.csv, line 2: occurred_at: .* between 1970 and now"):
        read_stream(tmp_path / "j.csv", tmp_path / "p.csv")


def test_what_is_known_at_a_moment_are_the_whole_hours_before_it(tmp_path: Path) -> None:
    stream = read(tmp_path, publications=PUBLICATIONS + "b,session,2021-01-02T09:10:00Z,Later\n")
    cut = stream.known_at(datetime(2021, 1, 2, 9, 59, tzinfo=UTC))
    assert (cut.end, cut.joins, len(cut.published)) == (datetime(2021, 1, 2, 9, tzinfo=UTC), 3, 1)
    assert stream.known_at(datetime(2031, 1, 1, tzinfo=UTC)) == stream
    with pytest.raises(ValueError, match=r"--as-of .* leaves no hour of the stream"):
        stream.known_at(stream.start + timedelta(minutes=59))


def test_publications_after_the_as_of_are_left_out_wherever_they_lie(tmp_path: Path) -> None:
    later = PUBLICATIONS + "b,session,2021-06-01T09:10:00Z,Planned\n"
    with pytest.raises(BadInput, match=r"line 3: published_at .* outside the stream"):
        read(tmp_path, publications=later)
    found = read_stream(tmp_path / "j.csv", tmp_path / "p.csv", until=datetime(2021, 1, 2, tzinfo=UTC))
    assert [one.id for one in found.published] == ["a"]


odd = st.sampled_from(("", "x", "3", " 3 ", "-1", "1,2", '"3"', "99999999", "2021-01-01T00:00:00Z", "\x00", "三"))
plain = st.tuples(moments.map(lambda moment: f"{moment.isoformat()}+09:00"), st.integers(0, 9).map(str), odd)
lines = st.lists(plain, min_size=1, max_size=8) | st.lists(
    plain | st.tuples(odd, odd, odd) | st.just(("",)), min_size=1, max_size=8
)


@settings(max_examples=150, suppress_health_check=ONE_FOLDER)
@given(lines)
def test_columns_at_once_say_what_rows_one_by_one_say(tmp_path: Path, found: list[tuple[str, ...]]) -> None:
    (tmp_path / "j.csv").write_text("\n".join(["occurred_at,joins,source_ref", *map(",".join, found)]))
    table = Table(tmp_path / "j.csv", ("occurred_at", "joins"), ("source_ref",))
    at_once = csv_joins._at_once(table, None, Rules.counted())
    if at_once is not None:
        assert at_once == csv_joins._row_by_row(table, None, Rules.counted())


def test_a_file_without_a_fault_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_slow(*_: object) -> None:
        raise AssertionError("read row by row")

    monkeypatch.setattr(csv_joins, "_row_by_row", too_slow)
    joins = (
        b"\xef\xbb\xbfoccurred_at,note,joins,source_ref\r\n\r\n2021-01-01T00:00:00,hm,3, a\r\n2021-01-02 00:00,,1,\r\n"
    )
    assert read(tmp_path, joins, P, "Asia/Tokyo").joins == 4
