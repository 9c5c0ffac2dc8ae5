"""A service as a process: its sockets, its signals, its graceful end within ten seconds of SIGTERM, its exit code."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
import uvicorn
import uvloop
from pydantic import ValidationError
from starlette.types import ASGIApp

from shared.settings import Address, Misconfigured, ServiceSettings
from shared.telemetry import logs, tracing
from shared.web.service import ServiceApp

EXIT_FAILED = 1
EXIT_MISCONFIGURED = 2
EXIT_ADDRESS_TAKEN = 3
ANSWER_REQUESTS_WITHIN_S = 4
LAST_RESORT_S = 9.5
BACKLOG = 2048

_log = structlog.stdlib.get_logger(__name__)


class AddressTaken(Exception):
    """A listening address cannot be had; another process holds it, or it is not of this machine."""

    def __init__(self, setting: str, address: Address, why: OSError) -> None:
        super().__init__(f"{setting}={address}: {why.strerror or why}")


@dataclass(frozen=True)
class Sockets:
    """Bound, not yet listening: those of the API and those of operations."""

    api: list[socket.socket]
    ops: list[socket.socket]

    def close(self) -> None:
        """Let go of the addresses."""
        for each in (*self.api, *self.ops):
            each.close()


def run(build: Callable[[], ServiceApp]) -> None:
    """Be the process of the service that `build` composes (called inside the event loop), until SIGTERM or SIGINT.

    Never returns: exits 0 after a stop that was asked for, 1 if a part failed to start, 2 if the environment makes no
    sense, 3 if an address is taken.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(_main(build))
    sys.stdout.flush()
    sys.exit(code)


async def _main(build: Callable[[], ServiceApp]) -> int:
    stop = _stop_on_signals()
    try:
        settings = ServiceSettings()
        logs.configure("kairan", settings.instance, settings.log_level)
        service = build()
    except (ValidationError, Misconfigured) as error:
        return _say_misconfigured(error)
    logs.configure(service.name, settings.instance, settings.log_level)
    tracing.configure(settings, service.name)
    try:
        sockets = open_sockets(service.settings)
    except AddressTaken as error:
        _log.error("address cannot be had", why=str(error))
        return EXIT_ADDRESS_TAKEN
    try:
        async with serving(service, sockets) as starting:
            await _first(stop, starting)
        return EXIT_FAILED if _failed(starting) else 0
    finally:
        tracing.shutdown()


def open_sockets(settings: ServiceSettings) -> Sockets:
    """Bind the addresses of the settings; that of the API may be shared with other replicas. Raises `AddressTaken`."""
    sockets = Sockets([], [])
    wanted = (
        (sockets.api, "KAIRAN_BIND", settings.bind, True),
        (sockets.api, "KAIRAN_OWN_BIND", settings.own_bind, False),
        (sockets.ops, "KAIRAN_OPS_BIND", settings.ops_bind, False),
    )
    try:
        for group, name, address, shared in wanted:
            if address is not None:
                group.append(_bind(name, address, shared))
    except AddressTaken:
        sockets.close()
        raise
    return sockets


@asynccontextmanager
async def serving(service: ServiceApp, sockets: Sockets) -> AsyncIterator["asyncio.Task[None]"]:
    """Answer on the sockets at once, start the parts meanwhile (the task that is yielded), and stop it all afterwards.

    The end: no new connections, streams told, requests in flight answered (4 s), parts stopped (5 s), operations last.
    """
    api, ops = _server(service.app, service.settings), _server(service.ops, service.settings)
    answering = asyncio.create_task(api.serve(sockets.api), name="http")
    answering_ops = asyncio.create_task(ops.serve(sockets.ops), name="http ops") if sockets.ops else None
    starting = asyncio.create_task(_start(service), name="start parts")
    try:
        yield starting
    finally:
        service.stopping.set()
        api.should_exit = True
        await answering
        await _cancelled(starting)
        await service.stop()
        if answering_ops is not None:
            ops.should_exit = True
            await answering_ops


async def _start(service: ServiceApp) -> None:
    await service.lifecycle.start()
    gc.collect()
    gc.freeze()  # what was imported lives as long as the process: no collection need look at it again
    _log.info("service started")


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: ours stop the parts too, and exit 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(app: ASGIApp, settings: ServiceSettings) -> _Server:
    config = uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        backlog=BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=ANSWER_REQUESTS_WITHIN_S,
    )
    return _Server(config)


def _bind(setting: str, address: Address, shared: bool) -> socket.socket:
    try:
        family = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise AddressTaken(setting, address, error) from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        raise AddressTaken(setting, address, error) from error
    return bound


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()

    def told(number: int) -> None:
        if not stop.is_set():
            _log.info("stopping", signal=signal.Signals(number).name)
            stop.set()
            _arm_last_resort()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told, number)
    return stop


def _arm_last_resort() -> None:
    """End the process although a thread or the loop hangs, just before its ten seconds are over.

    With 0: every part survives a kill at any moment, so late is untidy but not a failure.
    """

    def end() -> None:
        _log.warning("stopped late: something held on", after_s=LAST_RESORT_S)
        sys.stdout.flush()
        os._exit(0)

    timer = threading.Timer(LAST_RESORT_S, end)
    timer.daemon = True
    timer.start()


async def _first(stop: asyncio.Event, starting: "asyncio.Task[None]") -> None:
    """Wait for the word to stop, or for a part that cannot start."""
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({stopped, starting}, return_when=asyncio.FIRST_COMPLETED)
    if not _failed(starting):
        await stopped
    await _cancelled(stopped)


def _failed(starting: "asyncio.Task[None]") -> bool:
    if not starting.done() or starting.cancelled():
        return False
    error = starting.exception()
    if error is not None:
        _log.error("a part failed to start", **logs.describe(error))
    return error is not None


async def _cancelled(*tasks: "asyncio.Task[object]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _say_misconfigured(error: ValidationError | Misconfigured) -> int:
    """Name the settings and what is wrong with them."""
    if isinstance(error, Misconfigured):
        sys.stderr.write(f"{error}\n")
        return EXIT_MISCONFIGURED
    for fault in error.errors(include_input=False, include_url=False):
        name = "_".join(["KAIRAN", *(str(part).upper() for part in fault["loc"])])
        sys.stderr.write(f"{name}: {fault['msg']}\n")
    return EXIT_MISCONFIGURED
