"""Where the page and the portal are, and the one-time links by which a browser gets there."""

import os
from typing import Final

from kairan.stack.errors import StackError
from kairan.stack.home import Home
from kairan.stack.status import read_status
from shared.web.tokens import PORTAL_LINK_AUDIENCE, SigningKey, issue_link

TOLD_BY: Final = {"metrics": "KAIRAN_PAGE_URL", "notify": "KAIRAN_PORTAL_URL"}


def page_link(metrics_url: str, key: SigningKey) -> str:
    """The page's address with a new one-time code, good for ten minutes."""
    return f"{metrics_url}/enter?code={issue_link(key)}"


def portal_link(notify_url: str, key: SigningKey, subject: str, scopes: list[str]) -> str:
    """The portal's address with a new one-time code, good for ten minutes: who enters is `subject`, with `scopes`."""
    code = issue_link(key, audience=PORTAL_LINK_AUDIENCE, subject=subject, scopes=scopes)
    return f"{notify_url}/portal/enter?code={code}"


def service_url(home: Home, role: str) -> str:
    """Where a service is: what the operator says, else what the running stack of a home says. Raises `StackError`.

    A proxy or a container's port is nothing that a supervisor knows.
    """
    if told := os.environ.get(TOLD_BY[role]):
        return told.rstrip("/")
    running = read_status(home)
    if not running or role not in running["urls"]:
        raise StackError(
            f"no stack runs in {home.root}: start it by `kairan up`, name its --home, or set {TOLD_BY[role]}"
        )
    return str(running["urls"][role])
