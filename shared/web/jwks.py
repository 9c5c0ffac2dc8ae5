"""Where the public keys come from: a JWKS file, or an OIDC issuer by discovery."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import jwt
import structlog

from shared.web.problems import unavailable

LOOK_AGAIN_S = 1.0
FRESH_FOR_S = 600.0
REFETCH_AT_MOST_EVERY_S = 30.0
AFTER_FAILURE_S = 5.0
FETCH_TIMEOUT_S = 5.0
ANSWER_LIMIT = 1 << 20
_ALGORITHM_OF = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("RSA", None): "RS256"}

_log = structlog.stdlib.get_logger(__name__)


class KeySource(Protocol):
    """Public keys that may change while the process runs."""

    def edition(self) -> int:
        """A number that changes when the keys do; cheap, never blocks for long."""

    async def find(self, kid: object, algorithm: str) -> jwt.PyJWK | None:
        """The key of that id (or, without an id, the only one) for that algorithm; raises 503 if keys cannot be had."""


class KeySet:
    """The usable keys of one JWKS: signing keys of Ed25519, P-256 and RSA, each for one algorithm only."""

    def __init__(self, document: object) -> None:
        entries = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(entries, list):
            raise ValueError("not a JWKS")
        self._keys = [key for entry in entries if (key := _usable(entry)) is not None]

    def find(self, kid: object, algorithm: str) -> jwt.PyJWK | None:
        """See `KeySource.find`."""
        fitting = [key for key in self._keys if key.algorithm_name == algorithm]
        if kid is None:
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.key_id == kid), None)


def _usable(entry: object) -> jwt.PyJWK | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    kind = entry.get("kty")
    algorithm = _ALGORITHM_OF.get((str(kind), None if kind == "RSA" else entry.get("crv")))
    if algorithm is None or entry.get("alg", algorithm) != algorithm:
        return None
    try:
        return jwt.PyJWK(entry, algorithm)
    except jwt.PyJWTError:
        return None


class FileKeys:
    """The keys of a JWKS file, read again when the file changes (looked at no more than once a second)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: KeySet | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._edition = 0
        self._look_at = 0.0

    def edition(self) -> int:
        """See `KeySource.edition`."""
        if time.monotonic() >= self._look_at:
            self._look()
        return self._edition

    async def find(self, kid: object, algorithm: str) -> jwt.PyJWK | None:
        """See `KeySource.find`."""
        self.edition()
        key = self._keys.find(kid, algorithm) if self._keys else None
        if key is None:
            self._look()
        if self._keys is None:
            raise unavailable("The keys that verify tokens cannot be read.")
        return key or self._keys.find(kid, algorithm)

    def _look(self) -> None:
        self._look_at = time.monotonic() + LOOK_AGAIN_S
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp == self._stamp:
                return
            self._keys = KeySet(json.loads(self._path.read_bytes()))
        except (OSError, ValueError) as error:
            _log.warning("JWKS file cannot be read", path=str(self._path), error=type(error).__name__)
            return
        self._stamp = stamp
        self._edition += 1


class IssuerKeys:
    """The keys of an OIDC issuer: discovered, kept 10 minutes, fetched again for an unknown id at most every 30 s.

    While the issuer is away, the keys that are known stay good.
    """

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._keys: KeySet | None = None
        self._document: Any = None
        self._edition = 0
        self._fetched_at = self._tried_at = float("-inf")
        self._failed = False
        self._fetching: asyncio.Task[None] | None = None
        self._http: aiohttp.ClientSession | None = None

    def edition(self) -> int:
        """See `KeySource.edition`. Keys past their ten minutes are fetched anew behind the caller's back."""
        if time.monotonic() - self._fetched_at > FRESH_FOR_S:
            self._refetch()
        return self._edition

    async def find(self, kid: object, algorithm: str) -> jwt.PyJWK | None:
        """See `KeySource.find`."""
        self.edition()
        key = self._known(kid, algorithm)
        if key is None:
            fetching = self._refetch()
            if fetching is not None:
                await asyncio.shield(fetching)
            key = self._known(kid, algorithm)
        if key is None and (self._keys is None or self._failed):
            raise unavailable("The issuer of tokens cannot be reached. Repeat the request.")
        return key

    async def close(self) -> None:
        """Stop fetching and close the connection."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    def _known(self, kid: object, algorithm: str) -> jwt.PyJWK | None:
        return self._keys.find(kid, algorithm) if self._keys else None

    def _refetch(self) -> asyncio.Task[None] | None:
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        pause_s = AFTER_FAILURE_S if self._failed else REFETCH_AT_MOST_EVERY_S
        if time.monotonic() - self._tried_at < pause_s:
            return None
        self._tried_at = time.monotonic()
        self._fetching = asyncio.create_task(self._fetch(), name="fetch JWKS")
        return self._fetching

    async def _fetch(self) -> None:
        try:
            found = await self._get(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if not isinstance(found, dict) or found.get("issuer") != self.issuer:
                raise ValueError("the discovery document names another issuer")
            document = await self._get(str(found.get("jwks_uri")))
            keys = KeySet(document)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self._failed = True
            _log.warning("keys of the OIDC issuer cannot be fetched", issuer=self.issuer, error=type(error).__name__)
            return
        self._failed = False
        self._fetched_at = time.monotonic()
        if document != self._document:
            self._keys, self._document = keys, document
            self._edition += 1

    async def _get(self, url: str) -> object:
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
            self._http = aiohttp.ClientSession(timeout=timeout)
        async with self._http.get(url, allow_redirects=False) as answer:
            answer.raise_for_status()
            body = await answer.content.read(ANSWER_LIMIT)
        return json.loads(body)
