"""`kairan rebuild metrics`: fills a read model anew from the log, while the old one serves."""

import asyncio
import sys
from dataclasses import asdict
from typing import Any

import typer
from aiokafka.errors import KafkaError

from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.cli.reach import Reached, reach
from kairan.stack.errors import StackError
from kairan.stack.home import Home
from shared.bus.rebuild import RebuildBusy, RebuildReport
from shared.settings import ServiceSettings
from shared.store.mongo import StoreError

app = typer.Typer()


@app.callback()
def rebuild() -> None:
    """Fill a read model anew from the log, beside the live one; nothing is published or delivered by it."""


@app.command("metrics")
def metrics(home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Rebuild what metrics counts; returns when the new generation serves."""
    place = Home(home)
    reached = reach(place).need(place, mongo=True)
    if reached.kind == "tansu":
        raise StackError("the light broker keeps no log to rebuild from; Apache Kafka does (Java 17 and Maven)")
    try:
        report = asyncio.run(_rebuild(reached))
    except RebuildBusy:
        raise StackError("another rebuild of metrics runs: wait until it has ended") from None
    except (KafkaError, StoreError) as error:
        raise StackError(f"the rebuild broke off, the old read model serves on ({type(error).__name__})") from error
    if as_json:
        print_json(asdict(report))
    else:
        print(
            f"generation {report.generation} serves: {report.applied} events of {report.records} records, "
            f"{report.duplicates} repeats, {report.poison} not readable, in {report.seconds:.1f} s"
        )


async def _rebuild(reached: Reached) -> RebuildReport:
    from services.metrics.app import rebuild as rebuild_metrics

    settings = ServiceSettings(
        kafka=reached.bootstrap,
        kafka_kind="apache",
        mongo=reached.mongo,
        instance="kairan-rebuild",
    )
    if not sys.stderr.isatty():
        return await rebuild_metrics(settings)
    return await _with_bar(rebuild_metrics, settings)


async def _with_bar(rebuild_metrics: Any, settings: ServiceSettings) -> RebuildReport:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading the log", total=None)
        report: RebuildReport = await rebuild_metrics(
            settings, lambda done, total: bar.update(task, completed=done, total=total)
        )
        return report
