"""The contract of the bus (tests/contract/bus/test_poison.py) on Apache Kafka and MongoDB as containers."""

from tests.contract.bus.test_poison import *  # noqa: F403  the same tests; conftest.py beside this file gives other parts
