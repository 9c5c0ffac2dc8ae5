"""CPU time of processes: what each spent between two readings."""

from collections.abc import Mapping

import psutil  # type: ignore[import-untyped]


class Meter:
    """Reads user and system time of named processes; only what they spend after `start` counts."""

    def __init__(self, pids: Mapping[str, int | None]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items() if pid is not None}
        self._before = self._read()

    def spent_s(self) -> dict[str, float]:
        """CPU seconds of each process since this meter was made."""
        return {name: after - self._before[name] for name, after in self._read().items()}

    def _read(self) -> dict[str, float]:
        return {name: sum(process.cpu_times()[:2]) for name, process in self._processes.items()}
