"""A rebuild of metrics in a process of its own, as `kairan rebuild metrics` runs it."""

import asyncio
import time
from typing import Any

import uvloop

from benchmarks.child import tell, told
from services.metrics.app import rebuild
from services.metrics.settings import Settings
from shared.telemetry import logs


async def _main(spec: dict[str, Any]) -> dict[str, Any]:
    settings = Settings(kafka=spec["bootstrap"], kafka_kind="apache", mongo=spec["mongo"])
    before_s = time.process_time()
    report = await rebuild(settings, database=spec["database"])
    return {
        "applied": report.applied,
        "generation": report.generation,
        "seconds": report.seconds,
        "cpu_s": time.process_time() - before_s,
    }


if __name__ == "__main__":
    logs.configure("bench", "bench-rebuild", "error")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tell(runner.run(_main(told())))
