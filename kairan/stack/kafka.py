"""The embedded Apache Kafka: one KRaft node that is broker and controller, on loopback, with its data on disk."""

import base64
import uuid
from typing import ClassVar

from kairan.stack.jars import fetch_jars, jars_folder
from kairan.stack.part import Part
from kairan.stack.ports import LOOPBACK
from kairan.stack.wire import broker_count

HEAP = "320m"
DATA = "log"  # relative to where the broker runs: the setting is a list, in which a comma of the home's name would part
# A node that was killed must wait for its own session to end before it may register again: 9 s by default.
SESSION_TIMEOUT_MS = 3000
LOUD = ("kafka.server.KafkaRaftServer", "kafka.server.BrokerServer", "org.apache.kafka.coordinator.group")


def kafka_id() -> str:
    """A random id in Kafka's own form: 16 bytes, URL-safe base64, never starting with a dash."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


class ApacheKafka(Part):
    name: ClassVar[str] = "kafka"
    kind: ClassVar[str] = "apache"

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    async def prepare(self) -> None:
        await fetch_jars()

    def command(self) -> list[str]:
        self._format()
        (self.folder / "server.properties").write_text(self._properties(self.ports.take("kafka-controller")))
        logging = [f"-Dorg.slf4j.simpleLogger.log.{name}=info" for name in LOUD]
        return [
            "java",
            *(f"-Xmx{HEAP}", "-Xms96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"),
            *("-Djava.net.preferIPv4Stack=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", *logging),
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
            *("-cp", f"{jars_folder()}/*", "kafka.Kafka", "server.properties"),
        ]

    async def answers(self) -> bool:
        return await broker_count(self.bootstrap) > 0

    def _format(self) -> None:
        """What `kafka-storage format` writes for a static quorum of one, without the 1.5 s of a second JVM."""
        meta = self.folder / DATA / "meta.properties"
        if meta.exists():
            return
        meta.parent.mkdir(parents=True, exist_ok=True)
        lines = ["version=1", f"cluster.id={kafka_id()}", "node.id=1", f"directory.id={kafka_id()}", ""]
        meta.write_text("\n".join(lines))

    def _properties(self, controller_port: int) -> str:
        client, controller = f"{LOOPBACK}:{self.port}", f"{LOOPBACK}:{controller_port}"
        return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{controller}
listeners=PLAINTEXT://{client},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{client}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={DATA}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.session.timeout.ms={SESSION_TIMEOUT_MS}
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=16777216
log.index.size.max.bytes=1048576
"""
