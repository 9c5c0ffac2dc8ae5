"""Tokens of an OpenID Connect issuer, whose keys are discovered over HTTP, and what happens while it is away."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web

from shared.settings import ServiceSettings
from shared.web.auth import Verifier
from shared.web.problems import Problem
from shared.web.tokens import SigningKey, ensure_keys, issue


@dataclass
class Issuer:
    """A small OpenID provider on a real socket."""

    keys: list[SigningKey]
    url: str = ""
    says_it_is: str = ""
    fetches: int = 0
    up: bool = True
    runner: web.AppRunner = field(init=False)

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self.discovery)
        app.router.add_get("/keys", self.jwks)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        self.says_it_is = self.url

    async def discovery(self, _: web.Request) -> web.Response:
        return web.json_response({"issuer": self.says_it_is, "jwks_uri": f"{self.url}/keys"})

    async def jwks(self, _: web.Request) -> web.Response:
        self.fetches += 1
        if not self.up:
            raise web.HTTPServiceUnavailable
        return web.json_response({"keys": [key.public_jwk() for key in self.keys]})

    def token(self, key: SigningKey | None = None, **changed: Any) -> str:
        signer = key or self.keys[0]
        claims = {"iss": self.url, "sub": "a", "aud": "kairan", "exp": time.time() + 60, "scope": "members:read"}
        return jwt.encode(claims | changed, signer.private, "EdDSA", {"kid": signer.kid})


@pytest.fixture
async def issuer(tmp_path: Path) -> AsyncIterator[Issuer]:
    issuer = Issuer([ensure_keys(tmp_path / "first")])
    await issuer.start()
    yield issuer
    await issuer.runner.cleanup()


@pytest.fixture
async def verifier(issuer: Issuer) -> AsyncIterator[Verifier]:
    verifier = Verifier(ServiceSettings(oidc_issuer=issuer.url))
    yield verifier
    await verifier.close()


async def status_of(verifier: Verifier, token: str) -> int:
    with pytest.raises(Problem) as raised:
        await verifier.verify(token)
    return raised.value.status


async def test_a_token_of_the_issuer_is_good_and_the_keys_are_kept(issuer: Issuer, verifier: Verifier) -> None:
    assert (await verifier.verify(issuer.token())).subject == "a"
    assert (await verifier.verify(issuer.token(sub="b"))).subject == "b"
    assert issuer.fetches == 1


async def test_another_issuer_or_audience_is_401(issuer: Issuer, verifier: Verifier) -> None:
    assert await status_of(verifier, issuer.token(iss="http://elsewhere")) == 401
    assert await status_of(verifier, issuer.token(aud="other")) == 401


async def test_an_unknown_key_fetches_no_more_than_twice_a_minute(
    issuer: Issuer, verifier: Verifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = ensure_keys(tmp_path / "stranger")
    await verifier.verify(issuer.token())
    for _ in range(5):
        assert await status_of(verifier, issuer.token(stranger)) == 401
    assert issuer.fetches == 1
    issuer.keys.append(stranger)
    monkeypatch.setattr("shared.web.issuer.REFETCH_AT_MOST_EVERY_S", 0.0)
    assert (await verifier.verify(issuer.token(stranger))).subject == "a"
    assert issuer.fetches == 2


async def test_while_the_issuer_is_away_known_keys_stay_good_and_unknown_ones_are_503(
    issuer: Issuer, verifier: Verifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await verifier.verify(issuer.token())
    issuer.up = False
    monkeypatch.setattr("shared.web.issuer.REFETCH_AT_MOST_EVERY_S", 0.0)
    assert await status_of(verifier, issuer.token(ensure_keys(tmp_path / "stranger"))) == 503
    assert (await verifier.verify(issuer.token(sub="b"))).subject == "b"


async def test_an_issuer_that_never_answered_is_503_until_it_does(
    issuer: Issuer, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.up = False
    assert await status_of(verifier, issuer.token()) == 503
    issuer.up = True
    monkeypatch.setattr("shared.web.issuer.AFTER_FAILURE_S", 0.0)
    assert (await verifier.verify(issuer.token())).subject == "a"


async def test_an_issuer_nobody_reaches_is_503(tmp_path: Path) -> None:
    verifier = Verifier(ServiceSettings(oidc_issuer="http://127.0.0.1:1"))
    assert await status_of(verifier, issue(ensure_keys(tmp_path), "a", [])) == 503
    await verifier.close()


async def test_a_discovery_document_of_another_issuer_is_not_believed(issuer: Issuer, verifier: Verifier) -> None:
    issuer.says_it_is = "http://elsewhere"
    assert await status_of(verifier, issuer.token()) == 503
    assert issuer.fetches == 0


async def test_after_ten_minutes_keys_are_fetched_anew_and_a_withdrawn_one_is_refused(
    issuer: Issuer, verifier: Verifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = issuer.token()
    await verifier.verify(old)
    issuer.keys = [ensure_keys(tmp_path / "second")]
    monkeypatch.setattr("shared.web.issuer.REFETCH_AT_MOST_EVERY_S", 0.0)
    monkeypatch.setattr("shared.web.issuer.FRESH_FOR_S", 0.0)
    assert (await verifier.verify(issuer.token())).subject == "a"  # fetches on its way
    assert await status_of(verifier, old) == 401


async def test_with_both_a_token_is_verified_by_the_keys_of_its_own_issuer_only(issuer: Issuer, tmp_path: Path) -> None:
    ours = ensure_keys(tmp_path / "ours")
    verifier = Verifier(ServiceSettings(oidc_issuer=issuer.url, jwks_file=tmp_path / "ours" / "jwks.json"))
    assert (await verifier.verify(issuer.token())).subject == "a"
    assert (await verifier.verify(issue(ours, "embedded", []))).subject == "embedded"
    assert await status_of(verifier, issuer.token(ours)) == 401
    assert await status_of(verifier, issuer.token(iss="kairan")) == 401
    await verifier.close()
