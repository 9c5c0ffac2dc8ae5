"""Browsers' sessions and spent one-time links. A session is stored by its hash: the database opens no page."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from shared.store.mongo import Store, StoreError, is_duplicate
from shared.web.auth import Caller
from shared.web.expiring import Expiring
from shared.web.tokens import Link

SESSION_S = 12 * 3600
_SESSIONS, _LINKS = "browser_sessions", "used_links"


class LinkSpent(Exception):
    """A one-time link was used before. Ask for another with `kairan link`."""


class Sessions(Expiring):
    """Opens, finds and closes browsers' sessions: a link's own subject and scopes, else nobody's with `scopes`."""

    name = "sessions"

    def __init__(self, store: Store, scopes: frozenset[str]) -> None:
        super().__init__(store, (_SESSIONS, _LINKS))
        self._scopes = scopes

    async def open(self, link: Link) -> str:
        """Spends the link and returns the value of the new session's cookie. Raises LinkSpent."""
        value = secrets.token_urlsafe(32)
        expires_at = datetime.now(UTC) + timedelta(seconds=SESSION_S)
        guest = {"subject": link.subject, "scopes": sorted(link.scopes)} if link.subject else {}
        await self._store.collection(_SESSIONS).insert_one({"_id": _hash(value), "expires_at": expires_at, **guest})
        await self._spend(link)
        return value

    async def _spend(self, link: Link) -> None:
        """Last, so that a failure before it costs no link; remembered a day longer than any clock may trust it."""
        expires_at = datetime.fromtimestamp(link.expires, UTC) + timedelta(days=1)
        try:
            await self._store.collection(_LINKS).insert_one({"_id": link.jti, "expires_at": expires_at})
        except StoreError as error:
            if is_duplicate(error):
                raise LinkSpent(link.jti) from None
            raise

    async def caller(self, value: str) -> Caller | None:
        """Who holds this cookie; None when it is unknown or has expired."""
        row = await self._store.collection(_SESSIONS).find_one({"_id": _hash(value)})
        if row is None or row["expires_at"] <= datetime.now(UTC):
            return None
        if "subject" in row:
            return Caller(row["subject"], frozenset(row["scopes"]))
        return Caller(f"browser-{row['_id'][:16]}", self._scopes)

    async def close(self, value: str) -> None:
        """The cookie opens nothing any more."""
        await self._store.collection(_SESSIONS).delete_one({"_id": _hash(value)})


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
