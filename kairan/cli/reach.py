"""Where a command finds Kafka and MongoDB: in the running stack of its home, else in the settings."""

import os
from dataclasses import dataclass

from kairan.stack.choice import check_bootstrap, check_mongo_uri
from kairan.stack.errors import StackError
from kairan.stack.home import Home
from kairan.stack.status import read_status


@dataclass(frozen=True)
class Reached:
    """`kind` is `apache` or `tansu`; an address is empty when nobody knows it."""

    bootstrap: str
    kind: str
    mongo: str

    def need(self, home: Home, *, mongo: bool = False) -> "Reached":
        """Itself; raises `StackError` when Kafka (or MongoDB, if it is needed too) is not known."""
        if not self.bootstrap or (mongo and not self.mongo):
            unset = "KAIRAN_KAFKA and KAIRAN_MONGO" if mongo else "KAIRAN_KAFKA=HOST:PORT"
            raise StackError(f"no stack runs in {home.root}: start it by `kairan up`, name its --home, or set {unset}")
        return self


def reach(home: Home) -> Reached:
    """What can be known; `need` judges whether it is enough."""
    if running := read_status(home):
        return Reached(running["kafka"]["bootstrap"], running["kafka"]["kind"] or "apache", running["mongo"])
    kafka, mongo = os.environ.get("KAIRAN_KAFKA", ""), os.environ.get("KAIRAN_MONGO", "")
    external = "" if kafka in ("", "apache", "tansu") else check_bootstrap(kafka)
    return Reached(external, "apache", check_mongo_uri(mongo) if mongo else "")
