"""Signatures: the published vector, several secrets at once, and two libraries of receivers as judges."""

import base64
import hmac
import time
from datetime import UTC, datetime

import pytest
import standardwebhooks
import svix
from hypothesis import given
from hypothesis import strategies as st

from services.notify.keyed import keyed
from services.notify.signing import BadSecret, new_secret, secret_key, sign


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
