"""Which broker and which database a stack uses: what the settings name, else what this machine can run."""

from dataclasses import dataclass
from typing import Literal

from kairan.stack.errors import BadSetting, MissingPart
from kairan.stack.jars import jars_problem, java_problem
from kairan.stack.tansu import find_tansu

BrokerKind = Literal["apache", "tansu", "external"]


@dataclass(frozen=True)
class Choice:
    """`bootstrap` stands for an external Kafka, `mongo` for an external MongoDB; `note` is a word to the operator."""

    broker: BrokerKind
    bootstrap: str | None = None
    mongo: str | None = None
    note: str = ""

    @property
    def kind(self) -> Literal["apache", "tansu"]:
        """What speaks at the bootstrap address; an external one counts as Apache Kafka."""
        return "tansu" if self.broker == "tansu" else "apache"


def choose(kafka: str, mongo: str) -> Choice:
    """From KAIRAN_KAFKA and KAIRAN_MONGO (empty: not set). Raises `BadSetting`, `MissingPart`."""
    uri = check_mongo_uri(mongo) if mongo else None
    if kafka in ("", "apache"):
        problem = java_problem() or jars_problem()
        if problem is None:
            return Choice("apache", mongo=uri)
        if kafka == "apache":
            raise MissingPart(f"KAIRAN_KAFKA=apache: {problem}")
        return _light(uri, f"{problem}; until then the light broker runs, ")
    if kafka == "tansu":
        return _light(uri, "the light broker runs, ")
    return Choice("external", check_bootstrap(kafka), uri)


def _light(uri: str | None, why: str) -> Choice:
    find_tansu()
    return Choice("tansu", mongo=uri, note=why + "which keeps nothing: this stack starts empty each time")


def check_bootstrap(text: str) -> str:
    for address in text.split(","):
        host, colon, port = address.strip().rpartition(":")
        if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise BadSetting(f"KAIRAN_KAFKA={text!r} is neither `apache` nor `tansu` nor HOST:PORT,HOST:PORT…")
    return text


def check_mongo_uri(text: str) -> str:
    if not text.startswith(("mongodb://", "mongodb+srv://")):
        raise BadSetting("KAIRAN_MONGO is not a URI that starts with mongodb:// or mongodb+srv://")
    return text
