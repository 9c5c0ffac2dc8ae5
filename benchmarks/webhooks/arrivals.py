"""What was published laid beside what receivers got: lost, twice, a gap in the numbers, out of order. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

# One request as a receiver notes it: moment (CLOCK_MONOTONIC, s), event number, sequence, the id's end, receiver,
# attempt, status (0: none was given).
NOTE: Final = "<dqqQihh"
_DTYPE: Final = np.dtype(
    {
        "names": ["at", "number", "sequence", "id", "receiver", "attempt", "status"],
        "formats": ["<f8", "<i8", "<i8", "<u8", "<i4", "<i2", "<i2"],
    }
)
Notes = npt.NDArray[np.void]
_WIDE: Final = 1 << 40


def read(content: bytes) -> Notes:
    """The notes of a file that a receiver wrote, in the order of arrival."""
    return np.frombuffer(content, _DTYPE)


@dataclass(frozen=True)
class Account:
    """Counts over all receivers. `twice` are takings after the first of one event by one receiver."""

    expected: int
    taken: int
    lost: int
    twice: int
    foreign: int
    changed_ids: int
    gaps: int
    out_of_order: int


def reconcile(notes: Notes, wanted: Mapping[int, npt.NDArray[np.int64]], keys: int) -> Account:
    """`wanted`: the numbers of the events that each receiver must take; event n is about aggregate n % keys."""
    taken = notes[(notes["status"] >= 200) & (notes["status"] < 300)]
    pairs = _pairs(taken["receiver"], taken["number"])
    distinct = np.unique(pairs)
    must = np.concatenate([_pairs(np.full(len(numbers), one), numbers) for one, numbers in wanted.items()] or [pairs])
    return Account(
        expected=len(must),
        taken=len(distinct),
        lost=len(np.setdiff1d(must, distinct)),
        twice=len(pairs) - len(distinct),
        foreign=len(np.setdiff1d(_pairs(notes["receiver"], notes["number"]), must)),
        changed_ids=_changed_ids(notes),
        gaps=_gaps(notes, list(wanted)),
        out_of_order=_out_of_order(taken, keys),
    )


def delays_s(notes: Notes, published: npt.NDArray[np.float64], first: int = 0) -> npt.NDArray[np.float64]:
    """From publishing to the first arrival of each event at each receiver; `published[n]` is of event `first + n`."""
    pairs = _pairs(notes["receiver"], notes["number"])
    _, earliest = np.unique(pairs, return_index=True)  # notes are in the order of arrival
    arrived = notes[earliest]
    delays: npt.NDArray[np.float64] = arrived["at"] - published[arrived["number"] - first]
    return delays


def _pairs(receivers: npt.NDArray[np.int32], numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = receivers.astype(np.int64) * _WIDE + numbers
    return found


def _changed_ids(notes: Notes) -> int:
    """Events whose `webhook-id` or sequence was not the same over all their requests."""
    pairs = _pairs(notes["receiver"], notes["number"])
    both = np.unique(np.stack([pairs, notes["id"].astype(np.int64), notes["sequence"]], axis=1), axis=0)
    return len(both) - len(np.unique(pairs))


def _gaps(notes: Notes, receivers: Sequence[int]) -> int:
    """Numbers between each receiver's first and last that never came."""
    gaps = 0
    for one in receivers:
        sequences = np.unique(notes["sequence"][notes["receiver"] == one])
        gaps += int(sequences[-1] - sequences[0] + 1 - len(sequences)) if len(sequences) else 0
    return gaps


def _out_of_order(taken: Notes, keys: int) -> int:
    """Takings before which the same receiver took a later event about the same aggregate (a repeat counts once)."""
    pairs = _pairs(taken["receiver"], taken["number"])
    _, earliest = np.unique(pairs, return_index=True)
    first = taken[np.sort(earliest)]
    lanes = _pairs(first["receiver"], first["number"] % keys)
    order = np.argsort(lanes, kind="stable")
    numbers, lanes = first["number"][order], lanes[order]
    return int(np.sum((lanes[1:] == lanes[:-1]) & (numbers[1:] < numbers[:-1])))
