"""`kairan listen` as a process of its own; two libraries of receivers say beforehand what it must verify."""

import base64
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import standardwebhooks
import svix
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.stack.own_files import KAIRAN, run

OLD, NEW = ("whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in (1, 2))
EVENT = json.dumps({"type": "kairan.member-joined.v1", "subject": "佐藤\x1b[2J", "data": {}})
PEOPLE_WHO_WAIT_S = 60


@dataclass
class Listening:
    """A running `kairan listen` and where it says that it listens."""

    process: subprocess.Popen[str]
    url: str

    def post(self, headers: dict[str, str], body: str) -> int:
        return httpx.post(self.url, headers=headers, content=body.encode(), trust_env=False).status_code

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def end(self, sign: signal.Signals) -> tuple[int, str, str]:
        self.process.send_signal(sign)
        out, err = self.process.communicate(timeout=PEOPLE_WHO_WAIT_S)
        return self.process.returncode, out, err


@contextmanager
def listening(*words: str, **env: str) -> Iterator[Listening]:
    process = subprocess.Popen(
        [*KAIRAN, "listen", "--port", "0", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", **env},
    )
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert said.startswith("kairan: listening on http://127.0.0.1:"), said + process.stderr.read()
        yield Listening(process, said.split()[3])
    finally:
        process.kill()
        process.communicate()


def signed(secret: str, body: str, delivery_id: str = "msg_1", late: timedelta = timedelta(0)) -> dict[str, str]:
    at = datetime.now(UTC) - late
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(secret).sign(delivery_id, at, body),
        "webhook-attempt": "1",
        "webhook-sequence": "7",
    }


def judged(headers: dict[str, str], body: str) -> bool:
    """What both libraries say, with either secret."""
    verdicts = set()
    for library, refusal in (
        (standardwebhooks.Webhook, standardwebhooks.WebhookVerificationError),
        (svix.Webhook, svix.WebhookVerificationError),
    ):
        verdict = False
        for secret in (OLD, NEW):
            try:
                library(secret).verify(body, headers)
                verdict = True
            except refusal:
                pass
        verdicts.add(verdict)
    [agreed] = verdicts
    return agreed


def requests() -> dict[str, tuple[dict[str, str], str, int, str | None]]:
    """Headers, body, the status that must come, the reason that must be printed."""
    good, both = signed(NEW, EVENT), signed(OLD, EVENT, "msg_2")
    other = "whsec_" + base64.b64encode(bytes(24)).decode()
    both["webhook-signature"] = f"{signed(other, EVENT, 'msg_2')['webhook-signature']} {both['webhook-signature']}"
    unnumbered = {name: value for name, value in good.items() if name in ("webhook-id", "webhook-timestamp")}
    return {
        "the new secret": (good, EVENT, 204, None),
        "the same again": (good | {"webhook-attempt": "2"}, EVENT, 204, None),
        "during a rotation": (both, EVENT, 204, None),
        "a changed body": (good, EVENT + " ", 401, "signature-wrong"),
        "another id": (good | {"webhook-id": "msg_9"}, EVENT, 401, "signature-wrong"),
        "nobody's secret": (signed(other, EVENT), EVENT, 401, "signature-wrong"),
        "replayed later": (signed(NEW, EVENT, late=timedelta(seconds=330)), EVENT, 401, "too-old"),
        "from the future": (signed(NEW, EVENT, late=timedelta(seconds=-330)), EVENT, 401, "too-new"),
        "no moment": (good | {"webhook-timestamp": "now"}, EVENT, 401, "timestamp-unreadable"),
        "unsigned": (unnumbered, EVENT, 401, "header-missing"),
    }


def test_what_the_published_libraries_verify_is_verified_and_nothing_else(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.write_text(f"{OLD}\n{NEW}\n")
    with listening("--json", "--secret-file", str(secrets)) as listen:
        for name, (headers, body, status, reason) in requests().items():
            assert judged(headers, body) is (reason is None), name
            assert listen.post(headers, body) == status, name
            said: dict[str, Any] = json.loads(listen.line())
            assert (said["verified"], said["reason"]) == (reason is None, reason), name
            assert said["event"] == (json.loads(EVENT) if reason is None else None), name
            assert said["repeat"] is (name == "the same again")
            assert (said["id"], said["answered"]) == (headers["webhook-id"], status)
        assert (said["sequence"], said["attempt"], said["type"]) == (None, None, None)
        word = json.dumps({"type": "kairan.endpoint-challenge.v1", "challenge": "word"})
        assert httpx.post(listen.url, headers=signed(NEW, word), content=word, trust_env=False).json() == {
            "challenge": "word"
        }
        assert json.loads(listen.line())["verified"] is True
        assert listen.post(signed(NEW, "[]"), "[]") == 400
        assert json.loads(listen.line())["reason"] == "no-json-object"
        assert listen.post({}, "x" * ((1 << 20) + 1)) == 413
        assert json.loads(listen.line())["reason"] == "too-large"
        assert httpx.get(listen.url, trust_env=False).status_code == 405
        code, out, err = listen.end(signal.SIGTERM)
    assert (code, out, err) == (0, "", "")


def test_a_signature_of_ed25519_is_verified_by_the_public_key() -> None:
    mine, others = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    public = "whpk_" + base64.b64encode(mine.public_key().public_bytes_raw()).decode()
    good = signed(NEW, EVENT)

    def by(key: Ed25519PrivateKey, version: str = "v1a") -> str:
        over = f"{good['webhook-id']}.{good['webhook-timestamp']}.{EVENT}".encode()
        return f"{version},{base64.b64encode(key.sign(over)).decode()}"

    with listening("--secret", public) as listen:
        for signature, status in (
            (f"{good['webhook-signature']} {by(mine)}", 204),
            (by(others), 401),
            (by(mine, "v1"), 401),
            ("v1a,AAAA v1a, v1a", 401),
            (good["webhook-signature"], 401),
        ):
            assert listen.post(good | {"webhook-signature": signature}, EVENT) == status, signature


def test_without_a_terminal_it_prints_plain_lines_that_no_terminal_obeys() -> None:
    with listening("--answer", "503", KAIRAN_LISTEN_SECRET=NEW) as listen:
        assert listen.post(signed(NEW, EVENT), EVENT) == 503
        assert listen.post(signed(OLD, EVENT), EVENT) == 401
        first, second = listen.line(), listen.line()
        assert first[10:] == r"verified  kairan.member-joined.v1  佐藤\x1b[2J  #7  answered 503  msg_1"
        assert second[10:] == "refused 401  signature-wrong  msg_1"
        assert listen.end(signal.SIGINT) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "--secret"),
        (("member-*", "--secret", NEW), 2, "--endpoint"),
        (("--secret", "abc"), 2, "whsec_"),
        (("--secret", "whpk_AAAA"), 2, "whpk_"),
        (("--endpoint",), 1, "kairan up"),
        (("--secret-file", "nowhere"), 1, "--secret-file"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = run("listen", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert said in done.stderr


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("listen", "--secret", NEW, "--port", str(port))
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
