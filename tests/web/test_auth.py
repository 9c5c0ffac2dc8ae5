"""Who may do what: bearer tokens by a JWKS file, and a browser's cookie."""

import asyncio
import base64
import json
import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from starlette.requests import Request
from starlette.responses import Response

from shared.settings import ServiceSettings
from shared.web.auth import COOKIE, Caller, Verifier, require
from shared.web.problems import Problem
from shared.web.tokens import SigningKey, ensure_keys, issue, issue_link
from tests.web.conftest import Tokens, serve
from tests.web.small_service import compose
from tests.web.test_problems import problem_of


def claims(**changed: Any) -> dict[str, Any]:
    good = {"sub": "somebody", "aud": "kairan", "exp": int(time.time()) + 60, "scope": "members:read"}
    return {name: value for name, value in (good | changed).items() if value is not None}


def signed(key: SigningKey, **changed: Any) -> str:
    return jwt.encode(claims(**changed), key.private, "EdDSA", {"kid": key.kid})


async def ask(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.get("/v1/notes/known", headers={"Authorization": f"Bearer {token}"})


async def refused(client: httpx.AsyncClient, token: str) -> str:
    """The error description of the 401 that the token gets."""
    answer = await ask(client, token)
    problem_of(answer, 401)
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="kairan", error="invalid_token", error_description="')
    return challenge.rpartition('description="')[2].rstrip('"')


async def test_a_good_token_names_the_caller(client: httpx.AsyncClient, signing_key: SigningKey) -> None:
    answer = await ask(client, signed(signing_key))
    assert answer.status_code == 200
    assert answer.json()["by"] == "somebody"


async def test_scopes_may_come_as_a_list(client: httpx.AsyncClient, signing_key: SigningKey) -> None:
    token = signed(signing_key, scope=None, scp=["members:read", "openid"])
    assert (await ask(client, token)).status_code == 200


async def test_no_token_is_401_without_an_error_code(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/notes/known")
    problem_of(answer, 401)
    assert answer.headers["www-authenticate"] == 'Bearer realm="kairan"'


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"exp": 1_600_000_000}, "The token has expired"),
        ({"exp": None}, "The token has no exp"),
        ({"sub": None}, "The token has no sub"),
        ({"aud": None}, "The token has no aud"),
        ({"aud": "another"}, "The token is for another audience"),
        ({"nbf": 4_000_000_000}, "The token is not yet valid"),
        ({"nbf": "soon"}, "The token is not yet valid"),
        ({"sub": ""}, "The token has no subject"),
        ({"scope": 5}, "The token's scope cannot be read"),
        ({"pad": "x" * 9000}, "The token is too long"),
    ],
)
async def test_a_token_that_is_not_good_is_401_and_says_why(
    client: httpx.AsyncClient, signing_key: SigningKey, changed: dict[str, Any], why: str
) -> None:
    assert await refused(client, signed(signing_key, **changed)) == why


@pytest.mark.parametrize("header", ["Bearer", "Basic dXNlcjpwYXNz", "garbage", "Bearer a.b.c", "Bearer é"])
async def test_a_garbage_header_is_401(client: httpx.AsyncClient, header: str) -> None:
    answer = await client.get("/v1/notes/known", headers=httpx.Headers({"Authorization": header}, encoding="utf-8"))
    problem_of(answer, 401)


async def test_a_stranger_who_claims_our_key_id_is_refused(client: httpx.AsyncClient, signing_key: SigningKey) -> None:
    forged = jwt.encode(claims(), Ed25519PrivateKey.generate(), "EdDSA", {"kid": signing_key.kid})
    assert await refused(client, forged) == "The token's signature is wrong"


async def test_an_unknown_key_is_refused(client: httpx.AsyncClient) -> None:
    forged = jwt.encode(claims(), Ed25519PrivateKey.generate(), "EdDSA", {"kid": "other"})
    assert await refused(client, forged) == "The token is signed by an unknown key"


async def test_an_unsigned_token_is_refused(client: httpx.AsyncClient, signing_key: SigningKey) -> None:
    unsigned = jwt.encode(claims(), "", "none", {"kid": signing_key.kid})
    assert await refused(client, unsigned) == "The token's algorithm is not accepted"


async def test_the_public_key_is_no_shared_secret(
    client: httpx.AsyncClient, signing_key: SigningKey, recwarn: pytest.WarningsRecorder
) -> None:
    public = signing_key.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    confused = jwt.encode(claims(), public, "HS256", {"kid": signing_key.kid})
    assert await refused(client, confused) == "The token's algorithm is not accepted"


async def test_a_key_serves_its_own_algorithm_only(client: httpx.AsyncClient, signing_key: SigningKey) -> None:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "ES256", "kid": signing_key.kid}).encode()).rstrip(b"=").decode()
    _, body, signature = signed(signing_key).split(".")
    assert await refused(client, f"{head}.{body}.{signature}") == "The token is signed by an unknown key"


async def test_the_code_of_a_link_is_no_token(client: httpx.AsyncClient, signing_key: SigningKey) -> None:
    assert await refused(client, issue_link(signing_key)) == "The token has no sub"


async def test_a_missing_scope_is_403_and_named(client: httpx.AsyncClient, bearer: Tokens) -> None:
    answer = await client.get("/v1/notes/known", headers=bearer("members:write"))
    assert problem_of(answer, 403)["scope"] == "members:read"
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="kairan", error="insufficient_scope", scope="members:read"'
    )


async def test_all_scopes_of_an_operation_are_needed(client: httpx.AsyncClient, bearer: Tokens) -> None:
    answer = await client.post("/v1/notes:import", headers=bearer("members:write"))
    assert problem_of(answer, 403)["scope"] == "history:write"


async def test_a_remembered_token_ends_when_it_expires(settings: ServiceSettings, signing_key: SigningKey) -> None:
    verifier = Verifier(settings)
    token = issue(signing_key, "somebody", ["members:read"], expires_in_s=2)
    caller = await verifier.verify(token)
    assert caller == Caller("somebody", frozenset({"members:read"}))

    async def use_it_for_ever() -> None:
        while True:
            assert await verifier.verify(token) is caller
            await asyncio.sleep(0.05)

    with pytest.raises(Problem) as raised:
        await use_it_for_ever()
    assert raised.value.detail == "The token has expired"


async def test_a_key_that_is_taken_from_the_file_takes_its_remembered_tokens_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = ensure_keys(tmp_path / "old"), ensure_keys(tmp_path / "new")
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps({"keys": [old.public_jwk(), new.public_jwk()]}))
    monkeypatch.setattr("shared.web.jwks.LOOK_AGAIN_S", 0.0)
    verifier = Verifier(ServiceSettings(jwks_file=jwks))
    olds, news = issue(old, "o", []), issue(new, "n", [])
    assert (await verifier.verify(olds)).subject == "o"
    jwks.write_text(json.dumps({"keys": [new.public_jwk()]}))
    assert (await verifier.verify(news)).subject == "n"
    with pytest.raises(Problem) as raised:
        await verifier.verify(olds)
    assert raised.value.status == 401


async def test_no_readable_keys_are_503_until_the_file_is_there(tmp_path: Path) -> None:
    verifier = Verifier(ServiceSettings(jwks_file=tmp_path / "keys" / "jwks.json"))
    token = issue(ensure_keys(tmp_path / "elsewhere"), "s", [])
    with pytest.raises(Problem) as raised:
        await verifier.verify(token)
    assert raised.value.status == 503
    (tmp_path / "elsewhere").rename(tmp_path / "keys")
    assert (await verifier.verify(token)).subject == "s"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
async def test_other_kinds_of_keys_verify_too(tmp_path: Path, algorithm: str) -> None:
    private: Any = generate_private_key(SECP256R1()) if algorithm == "ES256" else generate_rsa_key(65537, 2048)
    public = jwt.get_algorithm_by_name(algorithm).to_jwk(private.public_key())
    encryption = json.loads(public) | {"kid": "enc", "use": "enc"}
    (tmp_path / "jwks.json").write_text(
        json.dumps({"keys": [{"kty": "oct", "k": "AAAA"}, encryption, json.loads(public)]})
    )
    verifier = Verifier(ServiceSettings(jwks_file=tmp_path / "jwks.json"))
    assert (await verifier.verify(jwt.encode(claims(), private, algorithm))).subject == "somebody"


async def test_nobody_could_call_without_keys() -> None:
    with pytest.raises(ValueError, match="KAIRAN_JWKS_FILE or KAIRAN_OIDC_ISSUER"):
        Verifier(ServiceSettings())


def test_an_operation_cannot_need_a_scope_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="no such scope: members:wirte"):
        require("members:wirte")


async def test_only_pages_take_the_cookie_of_a_browser(settings: ServiceSettings, bearer: Tokens) -> None:
    async def sessions(value: str) -> Caller | None:
        return Caller("browser", frozenset({"growth:read", "members:read"})) if value == "good" else None

    async with serve(compose(settings, sessions=sessions)) as client:
        good, bad = {"Cookie": f"{COOKIE}=good"}, {"Cookie": f"{COOKIE}=bad"}
        assert (await client.get("/v1/page", headers=good)).json() == {"by": "browser"}
        problem_of(await client.get("/v1/page", headers=bad), 401)
        problem_of(await client.get("/v1/notes/known", headers=good), 401)
        assert (await client.get("/v1/page", headers=bearer("growth:read") | bad)).json() == {"by": "tester"}


@pytest.mark.parametrize(("proxies", "scheme"), [("127.0.0.0/8", "https"), ("", "http"), ("10.0.0.0/8", "http")])
async def test_only_a_trusted_proxy_may_say_that_the_browser_came_by_https(
    settings: ServiceSettings, proxies: str, scheme: str
) -> None:
    async def what(request: Request) -> Response:
        return Response(request.url.scheme)

    service = compose(settings.model_copy(update={"trusted_proxies": proxies}))
    service.app.add_route("/scheme", what)
    async with serve(service) as client:
        assert (await client.get("/scheme", headers={"X-Forwarded-Proto": "https"})).text == scheme
