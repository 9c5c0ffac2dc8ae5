"""What is shown once, after a redirect: a secret waits, encrypted, for the one page that may show it."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from services.notify.vault import Vault
from shared.store.mongo import Store
from shared.web.expiring import Expiring

WITHIN: Final = timedelta(minutes=10)
_COLLECTION: Final = "portal_once"


class Once(Expiring):
    """Raises StoreError when the database is away."""

    name = "once"

    def __init__(self, store: Store, vault: Vault) -> None:
        super().__init__(store, (_COLLECTION,))
        self._vault = vault

    async def leave(self, text: str, subject: str) -> str:
        """Keeps a text for the subject for ten minutes; answers the word by which it is taken."""
        word = secrets.token_urlsafe(24)
        document = {"_id": _hash(word), "subject": subject, "sealed": self._vault.seal(text.encode())}
        expires_at = datetime.now(UTC) + WITHIN
        await self._store.collection(_COLLECTION).insert_one({**document, "expires_at": expires_at})
        return word

    async def take(self, word: str, subject: str) -> str | None:
        """The text, and never again; None when it was taken, is another's or too old."""
        found = await self._store.collection(_COLLECTION).find_one_and_delete({"_id": _hash(word), "subject": subject})
        if found is None or found["expires_at"] <= datetime.now(UTC):
            return None
        return self._vault.open(found["sealed"]).decode()


def _hash(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()
