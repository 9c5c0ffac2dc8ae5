"""Real streams: stars of repositories by the hour, and the posts about them (`../shared/data/hn-github`)."""

import csv
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from kairan.year.counts import Counts

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "hn-github"
Half = Literal["tune", "report"]


@dataclass(frozen=True)
class Repository:
    """`counts` by the hour from the first to the last row; `posts`: hours of its posts, in order."""

    name: str
    start: datetime
    counts: Counts
    posts: tuple[int, ...]

    @property
    def half(self) -> Half:
        return "tune" if int(hashlib.sha256(self.name.encode()).hexdigest(), 16) % 2 == 0 else "report"

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(list(hashlib.sha256(self.name.encode()).digest()))


def why_absent() -> str | None:
    """Why the real streams cannot be read here, if they cannot."""
    missing = [name for name in ("stars_hourly.csv.gz", "publications.csv") if not (FOLDER / name).is_file()]
    return f"no {' and no '.join(missing)} in ../shared/data/hn-github beside this checkout" if missing else None


@cache
def repositories() -> Mapping[str, Repository]:
    """All repositories by name; posts outside their stream are left out."""
    with gzip.open(FOLDER / "stars_hourly.csv.gz", "rt", encoding="utf-8", newline="") as file:
        stars: dict[str, list[tuple[int, int]]] = {}
        for row in csv.DictReader(file):
            stars.setdefault(row["repo"], []).append((_hour(row["hour"]), int(row["stars"])))
    with (FOLDER / "publications.csv").open(encoding="utf-8", newline="") as file:
        posts: dict[str, list[int]] = {}
        for row in csv.DictReader(file):
            posts.setdefault(row["repo"], []).append(_hour(row["published_at"]))
    return {name: _repository(name, rows, posts.get(name, [])) for name, rows in sorted(stars.items())}


def _repository(name: str, rows: list[tuple[int, int]], posts: list[int]) -> Repository:
    hours, joins = np.array(rows).T
    counts = np.zeros(hours.max() - hours.min() + 1, dtype=np.int64)
    np.add.at(counts, hours - hours.min(), joins)
    start = datetime.fromtimestamp(int(hours.min()) * 3600, UTC)
    at = sorted(hour - int(hours.min()) for hour in posts)
    return Repository(name, start, counts, tuple(hour for hour in at if 0 <= hour < counts.size))


def _hour(text: str) -> int:
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) // 3600
