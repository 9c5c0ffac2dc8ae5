"""Free loopback ports: kept from one start to the next while they stay free."""

import json
import random
import socket
from pathlib import Path

from kairan.stack.whole_file import replace

LOOPBACK = "127.0.0.1"
LOWEST = 20000


def is_free(port: int) -> bool:
    """Whether nobody listens on, or holds, this TCP port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that nobody holds, below those that the kernel gives to outgoing connections where there is room.

    From that range a client that keeps knocking at a dead server can be given the server's own port as its source, and
    is then connected to itself while the server cannot start.
    """
    ceiling = _first_ephemeral()
    for _ in range(200 if ceiling - LOWEST > 1000 else 0):
        if is_free(port := random.randrange(LOWEST, ceiling)):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _first_ephemeral() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


class KeptPorts:
    """The ports of one home by name; a name keeps its port until somebody else has taken it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ports: dict[str, int] = {}
        try:
            stored = json.loads(file.read_text())
            self._ports = {str(name): int(port) for name, port in stored.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            pass  # a first start, or a file that somebody broke: ports are chosen anew

    def take(self, name: str) -> int:
        """The port of this name, replaced when it is not free. Call it when the name's own process is not running."""
        port = self._ports.get(name)
        if port is None or not is_free(port):
            port = self._unused()
            self._ports[name] = port
            self._write()
        return port

    def known(self, name: str) -> int | None:
        return self._ports.get(name)

    def _unused(self) -> int:
        while (port := free_port()) in self._ports.values():
            pass
        return port

    def _write(self) -> None:
        replace(self._file, json.dumps(self._ports, indent=1))


def reserve(port: int) -> socket.socket:
    """Holds a port that several processes will share (SO_REUSEPORT), so that no stranger takes it between two of them.

    The socket is bound and never listens: the kernel gives it no connection.
    """
    holder = socket.socket()
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((LOOPBACK, port))
    except OSError:
        holder.close()
        raise
    return holder
