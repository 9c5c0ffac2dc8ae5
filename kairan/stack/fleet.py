"""The service processes of a stack: every replica of every service, their shared addresses, their renewal."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Mapping, Sequence

import aiohttp

from kairan.stack.child import Child
from kairan.stack.home import Home
from kairan.stack.keeper import Keep, Keeper, Probe
from kairan.stack.leftovers import ProcessBook
from kairan.stack.ports import LOOPBACK, KeptPorts, reserve
from kairan.stack.service import STOP_DEADLINE_S, ServiceProbe, ServiceProcess, Surroundings
from kairan.stack.status import ProcessStatus


class Fleet:
    """`surroundings` is asked before every start of a process, `env` is told to all of them."""

    def __init__(
        self,
        home: Home,
        ports: KeptPorts,
        book: ProcessBook,
        keep: Keep,
        *,
        services: Sequence[str],
        replicas: int,
        surroundings: Callable[[], Surroundings],
        env: Mapping[str, str],
    ) -> None:
        self._book, self._keep, self._surroundings, self._env = book, keep, surroundings, env
        self._session: aiohttp.ClientSession | None = None
        self._keepers: list[Keeper] = []
        self._holders = {name: _hold(ports, name) for name in services}
        self._shared = {name: int(holder.getsockname()[1]) for name, holder in self._holders.items()}
        ops_host = os.environ.get("KAIRAN_OPS_BIND", "").rpartition(":")[0]
        self._processes = [
            ServiceProcess(home, role, number, self._shared[role], ports, ops_host)
            for role in services
            for number in range(1, replicas + 1)
        ]

    @property
    def urls(self) -> dict[str, str]:
        return {name: f"http://{LOOPBACK}:{port}" for name, port in self._shared.items()}

    @property
    def ops_urls(self) -> dict[str, str]:
        """Of the first replica of each service; every replica's stands with its process."""
        return {one.role: one.ops_url for one in reversed(self._processes) if one.ops_url}

    def start(self) -> None:
        self._session = aiohttp.ClientSession()
        for process in self._processes:
            spawn, probe_of = self._spawn_of(process), self._probe_of(process)
            self._keepers.append(self._keep(process.name, process.role, spawn, probe_of))

    async def renew(self) -> None:
        """Starts every process again, with the surroundings as they are now."""
        await asyncio.gather(*(keeper.renew(STOP_DEADLINE_S) for keeper in self._keepers))

    async def stop(self) -> None:
        await asyncio.gather(*(keeper.stop(STOP_DEADLINE_S) for keeper in self._keepers))
        if self._session is not None:
            await self._session.close()
        for holder in self._holders.values():
            holder.close()

    def status(self) -> list[ProcessStatus]:
        pairs = zip(self._processes, self._keepers, strict=False)  # while they start, there are fewer keepers
        return [ProcessStatus(p.name, p.role, k.pid, p.url, k.restarts, p.ops_url) for p, k in pairs]

    def _spawn_of(self, process: ServiceProcess) -> Callable[[], Child]:
        def spawn() -> Child:
            child = process.spawn(self._surroundings(), self._env)
            self._book.add(child)
            return child

        return spawn

    def _probe_of(self, process: ServiceProcess) -> Callable[[Child], Probe]:
        session = self._session
        assert session is not None
        return lambda child: ServiceProbe(session, process.ops_url or process.url)


def _hold(ports: KeptPorts, name: str) -> socket.socket:
    while True:
        try:
            return reserve(ports.take(name))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:  # else a stranger was faster: the next `take` gives another
                raise
