"""A small service on a real socket, and tokens for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from shared.settings import Address, ServiceSettings
from shared.web.serve import open_sockets, serving
from shared.web.service import ServiceApp
from shared.web.tokens import SigningKey, ensure_keys, issue
from tests.web.small_service import compose

Tokens = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    ensure_keys(folder)
    return folder


@pytest.fixture(scope="session")
def signing_key(keys: Path) -> SigningKey:
    return ensure_keys(keys)


@pytest.fixture(scope="session")
def bearer(signing_key: SigningKey) -> Tokens:
    """The headers of a caller with these scopes."""

    def headers(*scopes: str, subject: str = "tester") -> dict[str, str]:
        return {"Authorization": f"Bearer {issue(signing_key, subject, scopes)}"}

    return headers


@pytest.fixture(scope="session")
def settings(keys: Path) -> ServiceSettings:
    return ServiceSettings(bind=Address("127.0.0.1", 0), jwks_file=keys / "jwks.json", instance="membership-1")


@asynccontextmanager
async def serve(service: ServiceApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service, which answers on a free port for as long."""
    sockets = open_sockets(service.settings)
    host, port = sockets.api[0].getsockname()[:2]
    async with serving(service, sockets) as starting:
        await asyncio.wait([starting], timeout=60)
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=60) as client:
            yield client


@pytest.fixture(scope="session")
async def client(settings: ServiceSettings) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(compose(settings)) as client:
        yield client
