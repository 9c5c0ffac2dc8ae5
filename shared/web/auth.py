"""Who calls, and what they may do: bearer tokens, verified and remembered until they expire, or a browser's cookie."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from fastapi import Request, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from shared.settings import Misconfigured, ServiceSettings
from shared.web.jwks import FileKeys, KeySource
from shared.web.problems import Problem
from shared.web.scopes import SCOPES

if TYPE_CHECKING:
    from shared.web.issuer import IssuerKeys

__all__ = ["COOKIE", "SCOPES", "Caller", "SessionLookup", "Verifier", "forbidden", "require", "unauthorized"]

COOKIE = "kairan_session"
ALGORITHMS = ("EdDSA", "ES256", "RS256")
REMEMBERED = 10_000
TOKEN_LIMIT = 8192
NOT_BEFORE_LEEWAY_S = 5.0


@dataclass(frozen=True, slots=True)
class Caller:
    """The one who calls: `subject` of the token (idempotency keys count per subject) and the scopes granted."""

    subject: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether `scope` was granted."""
        return scope in self.scopes

    def demand(self, scope: str) -> None:
        """Raise the 403 problem unless `scope` was granted: for what only some bodies of an operation need."""
        if scope not in self.scopes:
            raise forbidden(scope)


SessionLookup = Callable[[str], Awaitable[Caller | None]]
"""From the value of the session's cookie to its caller; None when unknown or expired."""


def unauthorized(description: str = "") -> Problem:
    """401 as in RFC 6750: without `description` no credentials came; with it they were not good."""
    challenge = 'Bearer realm="kairan"'
    if description:
        challenge += f', error="invalid_token", error_description="{description}"'
    detail = description or "Send a bearer token in the Authorization header."
    return Problem(401, "Unauthorized", detail, "unauthorized", headers={"WWW-Authenticate": challenge})


def forbidden(scope: str) -> Problem:
    """403 as in RFC 6750, naming the scope that is missing."""
    challenge = f'Bearer realm="kairan", error="insufficient_scope", scope="{scope}"'
    detail = f"The token lacks the scope {scope}."
    return Problem(403, "Forbidden", detail, "insufficient-scope", headers={"WWW-Authenticate": challenge}, scope=scope)


class Verifier:
    """Verifies bearer tokens by a JWKS file, an OIDC issuer, or both (then a token's `iss` says whose keys count).

    `verify` raises the 401 problem for a bad token, and 503 when the keys that would tell cannot be had. Settings that
    name neither are `Misconfigured`.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._audience = settings.oidc_audience
        self._issuer = _issuer_keys(settings.oidc_issuer) if settings.oidc_issuer else None
        self._file = FileKeys(settings.jwks_file) if settings.jwks_file else None
        if self._issuer is None and self._file is None:
            raise Misconfigured("nobody could call: set KAIRAN_JWKS_FILE or KAIRAN_OIDC_ISSUER")
        self._remembered: OrderedDict[str, tuple[float, Caller, KeySource, int]] = OrderedDict()

    async def verify(self, token: str) -> Caller:
        """The caller whom a token names."""
        known = self._remembered.get(token)
        if known is not None:
            expires, caller, source, edition = known
            if time.time() < expires and source.edition() == edition:
                self._remembered.move_to_end(token)
                return caller
            del self._remembered[token]
        return await self._verify(token)

    async def close(self) -> None:
        """Let go of the connection to the issuer."""
        if self._issuer is not None:
            await self._issuer.close()

    async def _verify(self, token: str) -> Caller:
        if len(token) > TOKEN_LIMIT:
            raise unauthorized("The token is too long")
        source, issuer = self._source_of(token)
        header = _header_of(token)
        key = await source.find(header.get("kid"), header["alg"])
        if key is None:
            raise unauthorized("The token is signed by an unknown key")
        claims = self._claims(token, key, header["alg"], issuer)
        caller = _caller(claims)
        self._remember(token, (float(claims["exp"]), caller, source, source.edition()))
        return caller

    def _source_of(self, token: str) -> tuple[KeySource, str | None]:
        """Whose keys must have signed; read from the token unverified, so it only chooses what is then verified."""
        if self._issuer is not None and (self._file is None or _claimed_issuer(token) == self._issuer.issuer):
            return self._issuer, self._issuer.issuer
        assert self._file is not None
        return self._file, None

    def _claims(self, token: str, key: jwt.PyJWK, algorithm: str, issuer: str | None) -> dict[str, Any]:
        options: jwt.types.Options = {
            "require": ["exp", "sub", "aud"],
            "verify_iat": False,
            "verify_nbf": False,
            "verify_iss": issuer is not None,
        }
        try:
            claims = jwt.decode(
                token, key, algorithms=[algorithm], audience=self._audience, issuer=issuer, options=options
            )
        except jwt.PyJWTError as error:
            raise unauthorized(_reason(error)) from None
        not_before = claims.get("nbf")
        if not_before is not None and not _is_past(not_before):
            raise unauthorized("The token is not yet valid")
        return claims

    def _remember(self, token: str, what: tuple[float, Caller, KeySource, int]) -> None:
        self._remembered[token] = what
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)


def _issuer_keys(issuer: str) -> "IssuerKeys":
    from shared.web.issuer import IssuerKeys  # late: its HTTP client takes long to import, and few need it

    return IssuerKeys(issuer)


def _header_of(token: str) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise unauthorized("The token is not a JWT") from None
    if header.get("alg") not in ALGORITHMS:
        raise unauthorized("The token's algorithm is not accepted")
    return header


def _claimed_issuer(token: str) -> str | None:
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except jwt.PyJWTError:
        raise unauthorized("The token is not a JWT") from None
    return issuer if isinstance(issuer, str) else None


def _is_past(moment: object) -> bool:
    return isinstance(moment, int | float) and moment <= time.time() + NOT_BEFORE_LEEWAY_S


def _reason(error: jwt.PyJWTError) -> str:
    reasons: dict[type[jwt.PyJWTError], str] = {
        jwt.ExpiredSignatureError: "The token has expired",
        jwt.InvalidSignatureError: "The token's signature is wrong",
        jwt.InvalidAudienceError: "The token is for another audience",
        jwt.InvalidIssuerError: "The token is from another issuer",
    }
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The token has no {error.claim}"
    return reasons.get(type(error), "The token is not valid")


def _caller(claims: Mapping[str, Any]) -> Caller:
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise unauthorized("The token has no subject")
    granted = claims.get("scope", claims.get("scp", ""))
    words = granted.split() if isinstance(granted, str) else granted
    if not isinstance(words, list):
        raise unauthorized("The token's scope cannot be read")
    return Caller(subject, frozenset(word for word in words if isinstance(word, str)))


class Require(SecurityBase):
    """The dependency that `require` makes: the caller of a request, who has the scopes, or the problem 401 or 403."""

    def __init__(self, scopes: tuple[str, ...], cookie: bool) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description="A JWT; its `scope` grants operations.")
        self.scheme_name = "bearer"
        self.scopes = scopes
        self.cookie = cookie

    async def __call__(self, request: Request) -> Caller:
        memory = request.scope.setdefault("kairan.caller", {})
        caller: Caller | None = memory.get(self)
        if caller is None:
            caller = memory[self] = await self._admit(request)
        return caller

    async def _admit(self, request: Request) -> Caller:
        caller = await self._identify(request)
        for scope in self.scopes:
            caller.demand(scope)
        return caller

    async def _identify(self, request: Request) -> Caller:
        sent = request.headers.get("authorization")
        if sent is None:
            return await self._by_cookie(request)
        scheme, _, token = sent.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise unauthorized("The Authorization header is not a bearer token")
        verifier: Verifier = request.app.state.verifier
        return await verifier.verify(token.strip())

    async def _by_cookie(self, request: Request) -> Caller:
        sessions: SessionLookup | None = getattr(request.app.state, "sessions", None)
        value = request.cookies.get(request.app.state.cookie) if self.cookie and sessions is not None else None
        if not value or sessions is None:
            raise unauthorized()
        caller = await sessions(value)
        if caller is None:
            raise unauthorized("The session has ended")
        return caller


def require(*scopes: str, cookie: bool = False) -> Any:
    """The dependency for an operation that needs `scopes`: `caller: Caller = require("members:write")`.

    It stands in the operation's OpenAPI `security`. With `cookie` the browser's session is taken too.
    """
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise ValueError(f"no such scope: {', '.join(unknown)}")
    return Security(Require(scopes, cookie), scopes=list(scopes))
