"""Signatures: the published vector, several secrets at once, and two libraries of receivers as judges."""

import base64
import hmac
import time
from datetime import UTC, datetime

import pytest
import standardwebhooks
import svix
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from services.notify.keyed import keyed
from services.notify.signing import BadSecret, new_secret, public_key, secret_key, sign, signing_key


def test_the_published_vector_of_standard_webhooks() -> None:
    signature = sign(
        [secret_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(key=st.binary(max_size=200), message=st.binary(max_size=300))
def test_a_key_hashed_once_gives_the_hmac_of_the_standard_library(key: bytes, message: bytes) -> None:
    assert keyed(key).mac(message) == hmac.digest(key, message, "sha256")


def test_a_receiver_with_either_secret_accepts_while_secrets_overlap() -> None:
    old, new = new_secret(), new_secret()
    body, now = '{"名": "値"}'.encode(), int(time.time())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": sign([secret_key(new), secret_key(old)], "msg_1", now, body),
    }
    for secret in (old, new):
        assert standardwebhooks.Webhook(secret).verify(body, headers) == {"名": "値"}
        svix.Webhook(secret).verify(body, headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(new_secret()).verify(body, headers)


def test_we_sign_as_the_reference_library_does() -> None:
    secret, now = new_secret(), datetime.now(UTC)
    theirs = standardwebhooks.Webhook(secret).sign("msg_2", now, "{}")
    assert sign([secret_key(secret)], "msg_2", int(now.timestamp()), b"{}") == theirs


@pytest.mark.parametrize(
    "text",
    ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_***", "whsec_" + base64.b64encode(b"short").decode()],
)
def test_what_is_no_secret_is_refused(text: str) -> None:
    with pytest.raises(BadSecret):
        secret_key(text)


def test_v1a_signs_beside_v1_and_its_public_half_verifies() -> None:
    mine, theirs = new_secret("v1a"), new_secret()
    seed = "whsk_" + base64.b64encode(base64.b64decode(mine.removeprefix("whsk_"))[:32]).decode()
    signature = sign([signing_key(mine), signing_key(theirs)], "msg_1", 1614265330, b"{}")
    asymmetric, symmetric = signature.split()
    assert symmetric == sign([secret_key(theirs)], "msg_1", 1614265330, b"{}")
    assert sign([signing_key(seed)], "msg_1", 1614265330, b"{}") == asymmetric
    public = public_key(mine)
    assert public is not None
    assert public_key(theirs) is None
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    key.verify(base64.b64decode(asymmetric.removeprefix("v1a,")), b"msg_1.1614265330.{}")


@pytest.mark.parametrize("raw", [b"", b"short", bytes(64), bytes(33)])
def test_what_is_no_ed25519_secret_is_refused(raw: bytes) -> None:
    with pytest.raises(BadSecret):
        signing_key("whsk_" + base64.b64encode(raw).decode())
