"""The page's address, and the one-time link by which a browser gets there."""

import os

from kairan.stack.errors import StackError
from kairan.stack.home import Home
from kairan.stack.status import read_status
from shared.web.tokens import SigningKey, issue_link


def page_link(metrics_url: str, key: SigningKey) -> str:
    """The page's address with a new one-time code, good for ten minutes."""
    return f"{metrics_url}/enter?code={issue_link(key)}"


def page_url(home: Home) -> str:
    """Where metrics is: what the operator says, else what the running stack of a home says. Raises `StackError`.

    A proxy or a container's port is nothing that a supervisor knows.
    """
    if told := os.environ.get("KAIRAN_PAGE_URL"):
        return told.rstrip("/")
    running = read_status(home)
    if not running or "metrics" not in running["urls"]:
        raise StackError(
            f"no stack runs in {home.root}: start it by `kairan up`, name its --home, or set KAIRAN_PAGE_URL"
        )
    return str(running["urls"]["metrics"])
