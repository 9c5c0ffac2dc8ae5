"""Many streams judged by several processes; what comes out comes in order of name, one at a time."""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from kairan.cli.own_streams import Knowing
from kairan.stack.errors import StackError
from kairan.year.csv_streams import BadInput
from kairan.year.judged import Judged, judge

PR_SET_PDEATHSIG = 1


class Fault(NamedTuple):
    """Why there is no ledger of a stream. `ours`: not the input's fault."""

    words: str
    ours: bool


def judge_folders(found: Sequence[Path], knowing: Knowing, jobs: int | None) -> Generator[Judged | Fault, None, None]:
    """One for each folder, in their order. Closing the iterator, Ctrl-C and SIGTERM end the processes at once.

    Raises `StackError` when the system has killed one of them.
    """
    count = min(jobs or _cores(), len(found))
    if count == 1:
        yield from (_judge(one, knowing) for one in found)
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    waiting: deque[Future[Judged | Fault]] = deque()
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("fork"), _begin, (os.getpid(),))
    try:
        # All are forked by the first submit, before anything here has a thread.
        waiting.extend(pool.submit(_judge, one, knowing) for one in found)
        while waiting:
            yield waiting[0].result()
            waiting.popleft()
    except BrokenProcessPool:
        raise StackError("the system has ended one of the processes; is there memory for so many --jobs?") from None
    finally:
        if waiting:
            for process in multiprocessing.active_children():
                process.terminate()
        pool.shutdown(cancel_futures=True)
        signal.signal(signal.SIGTERM, before)


def _judge(folder: Path, knowing: Knowing) -> Judged | Fault:
    try:
        stream = knowing.folder(folder)
    except (BadInput, ValueError) as error:
        return Fault(str(error), ours=False)
    try:
        return judge(stream)
    except Exception as error:
        if os.environ.get("KAIRAN_DEBUG"):
            raise
        return Fault(f"{folder}: {type(error).__name__}: {error} (KAIRAN_DEBUG=1 shows where)", ours=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _begin(parent: int) -> None:
    """In a new process: Ctrl-C is the parent's to hear; it ends when the parent has ended, however that happened."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _interrupt(_sign: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
