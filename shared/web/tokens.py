"""The signing key of an embedded stack, the tokens it issues, and the one-time links for a browser."""

import base64
import hashlib
import json
import math
import os
import secrets
import tempfile
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

AUDIENCE = "kairan"
LINK_AUDIENCE = "kairan-link"
PORTAL_LINK_AUDIENCE = "kairan-portal-link"
ISSUER = "kairan"
KEY_FILE = "signing.pem"
JWKS_FILE = "jwks.json"


class LinkRefused(Exception):
    """A one-time link is not ours, has expired, or is garbage. Ask for another."""


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 key and the id under which its public half stands in the JWKS."""

    kid: str
    private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"

    def public_jwk(self) -> dict[str, str]:
        """The public half, as an entry of a JWKS."""
        return _public_jwk(self.private) | {"kid": self.kid, "use": "sig", "alg": "EdDSA"}


@dataclass(frozen=True)
class Link:
    """What a verified link holds: `jti` (spend it once), until when it may be spent (Unix seconds), and for whom it was
    made, where that matters."""

    jti: str
    expires: int
    subject: str = ""
    scopes: frozenset[str] = frozenset()


def ensure_keys(directory: Path) -> SigningKey:
    """The signing key in `directory`, made on first use with its `jwks.json`; two who start at once get one key."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / KEY_FILE
    if not path.exists():
        _write_new(path, _new_pem())
    key = load_key(path)
    jwks = json.dumps({"keys": [key.public_jwk()]}, indent=1).encode()
    if not _holds(directory / JWKS_FILE, jwks):
        _replace(directory / JWKS_FILE, jwks)
    return key


def load_key(path: Path) -> SigningKey:
    """The key of a PEM file; `ValueError` if it is not an Ed25519 private key."""
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError(f"{path} is not an Ed25519 private key")
    return SigningKey(_thumbprint(_public_jwk(private)), private)


def issue(
    key: SigningKey, subject: str, scopes: Collection[str], expires_in_s: float = 3600, audience: str = AUDIENCE
) -> str:
    """A bearer token for `subject` with `scopes`."""
    return _sign(key, {"sub": subject, "aud": audience, "scope": " ".join(sorted(scopes))}, expires_in_s)


def issue_link(
    key: SigningKey,
    expires_in_s: float = 600,
    audience: str = LINK_AUDIENCE,
    subject: str = "",
    scopes: Collection[str] = (),
) -> str:
    """The code of a one-time link, good at `verify_link` with its audience only: no API takes it as a token."""
    named = {"sub": subject, "scope": " ".join(sorted(scopes))} if subject else {}
    return _sign(key, {"aud": audience, **named}, expires_in_s)


def verify_link(jwks: Path, code: str, audience: str = LINK_AUDIENCE) -> Link:
    """The link that `code` is, by the public keys in `jwks`. The caller keeps `jti` until `expires`, to refuse a second
    use. `LinkRefused` if it is none of ours, or late."""
    from shared.web.jwks import KeySet

    try:
        header = jwt.get_unverified_header(code)
        public = KeySet(json.loads(jwks.read_bytes())).find(header.get("kid"), "EdDSA")
        if public is None:
            raise LinkRefused("unknown key")
        options: jwt.types.Options = {"require": ["exp", "jti", "aud"], "verify_iat": False}
        claims = jwt.decode(code, public, algorithms=["EdDSA"], audience=audience, issuer=ISSUER, options=options)
    except (jwt.PyJWTError, OSError, ValueError) as error:
        raise LinkRefused(type(error).__name__) from None
    scopes = frozenset(str(claims.get("scope", "")).split())
    return Link(str(claims["jti"]), int(claims["exp"]), str(claims.get("sub", "")), scopes)


def _sign(key: SigningKey, claims: dict[str, Any], expires_in_s: float) -> str:
    now = time.time()
    times = {"iss": ISSUER, "iat": int(now), "exp": math.ceil(now + expires_in_s), "jti": str(uuid4())}
    return jwt.encode(claims | times, key.private, algorithm="EdDSA", headers={"kid": key.kid})


def _new_pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public_jwk(private: Ed25519PrivateKey) -> dict[str, str]:
    raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(raw)}


def _thumbprint(jwk: dict[str, str]) -> str:
    """RFC 7638: the same key has the same id everywhere."""
    members = {name: jwk[name] for name in ("crv", "kty", "x")}
    return _base64url(hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _holds(path: Path, content: bytes) -> bool:
    return path.exists() and path.read_bytes() == content


def _temporary(directory: Path, content: bytes) -> Path:
    """A complete private file (0600, as mkstemp makes it) beside the one it shall become."""
    handle, name = tempfile.mkstemp(dir=directory, prefix=f".{secrets.token_hex(4)}-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _write_new(path: Path, content: bytes) -> None:
    """Create `path` whole, unless somebody was faster: then theirs stays."""
    temporary = _temporary(path.parent, content)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _replace(path: Path, content: bytes) -> None:
    _temporary(path.parent, content).replace(path)
