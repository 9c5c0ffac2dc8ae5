"""The public keys that verify tokens, and where they come from: here a JWKS file; see also `issuer.py`."""

import json
import time
from pathlib import Path
from typing import Protocol

import jwt
import structlog

from shared.web.problems import unavailable

LOOK_AGAIN_S = 1.0
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
