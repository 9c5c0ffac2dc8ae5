"""Logs: one JSON object a line on stdout, from our code and from the libraries, never with a payload."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor

_QUIET = {
    "pymongo": logging.WARNING,
    "motor": logging.WARNING,
    "aiokafka": logging.WARNING,
    "faststream": logging.WARNING,
}
"""Libraries that would print documents or records at their lower levels."""


def configure(service: str, instance: str, level: str = "info") -> None:
    """Route all logging of this process to stdout; call once, first. `service` and `instance` stand in every line."""

    def identity(_: Any, __: str, event: EventDict) -> EventDict:
        event["service"], event["instance"] = service, instance
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        identity,
        _failure,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(allow={"topic", "partition", "offset"}), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    for name, floor in _QUIET.items():
        logging.getLogger(name).setLevel(max(floor, root.level))
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True


def describe(error: BaseException) -> dict[str, Any]:
    """An error for a log line: type, place, and its words only where they cannot quote what somebody sent."""
    frames = [f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    told: dict[str, Any] = {"error": type(error).__qualname__, "frames": frames[-12:]}
    if _is_about_machines(error):
        told["why"] = str(error)[:500]
    if error.__cause__ is not None:
        told["cause"] = type(error.__cause__).__qualname__
    return told


_MACHINE_ERRORS = frozenset({"ServerSelectionTimeoutError", "AutoReconnect", "NetworkTimeout", "ConnectionFailure"})


def _is_about_machines(error: BaseException) -> bool:
    if isinstance(error, OSError | TimeoutError):
        return True
    module = type(error).__module__
    return module.startswith("aiokafka") or (module.startswith("pymongo") and type(error).__name__ in _MACHINE_ERRORS)


def _failure(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by what may be said of it."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info if isinstance(info, BaseException) else sys.exc_info()[1]
    if info and error is not None:
        event.update(describe(error))
    return event


def _render(_: Any, __: str, event: EventDict) -> str:
    event.pop("color_message", None)
    return orjson.dumps(event, default=_unknown).decode()


def _unknown(value: object) -> str:
    """A value that is no JSON is named by its type: its repr might spill."""
    return f"<{type(value).__name__}>"
