"""Applies the declared topics to a broker, its failures in the operator's words."""

from aiokafka.errors import KafkaError

from kairan.stack.errors import StartFailed
from shared.bus.topics import TopicsRefused, apply


async def apply_topics(bootstrap: str) -> list[str]:
    """Creates the topics that are missing, with replication min(3, brokers), and returns their names. `StartFailed`."""
    try:
        return await apply(bootstrap)
    except (KafkaError, TopicsRefused, OSError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        raise StartFailed(f"the topics could not be applied to Kafka at {bootstrap}: {why}") from error
