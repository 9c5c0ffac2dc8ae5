"""The public keys of an OpenID Connect issuer, by discovery."""

import asyncio
import json
import time
from typing import Any

import aiohttp
import jwt
import structlog

from shared.web.jwks import KeySet
from shared.web.problems import unavailable

FRESH_FOR_S = 600.0
REFETCH_AT_MOST_EVERY_S = 30.0
AFTER_FAILURE_S = 5.0
FETCH_TIMEOUT_S = 5.0
ANSWER_LIMIT = 1 << 20

_log = structlog.stdlib.get_logger(__name__)


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
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > ANSWER_LIMIT:
                    raise ValueError("the answer is too large")
        return json.loads(body)
