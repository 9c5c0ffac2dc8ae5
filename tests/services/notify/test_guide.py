"""The receiver's guide: each sample is run as it stands and must take what we sign, refuse the rest, and work once."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, run

import httpx
import pytest

from kairan.stack.ports import free_port
from services.notify.portal.guide.samples import SAMPLES, Sample
from services.notify.portal.guide.steps import steps, text
from services.notify.signing import new_secret, secret_key, sign
from shared.web.languages import Language

ROOT = Path(__file__).parents[3]
IN_FULL = os.environ.get("KAIRAN_PROVE") == "full"
BODY = b'{"type":"kairan.member-joined.v1","subject":"s"}'
START_WITHIN_S, FETCH_WITHIN_S = 60, 400
GO_MODULE = "github.com/standard-webhooks/standard-webhooks/libraries@v0.0.1"
JAVA_ARTIFACT = "com.standardwebhooks:standardwebhooks:1.1.0"
FETCHED_BY = {
    "node": [["npm", "install", "--no-fund", "--no-audit", "standardwebhooks@1.1.1"]],
    "java": [["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={JAVA_ARTIFACT}", "-DoutputDirectory=."]],
    "go": [["go", "mod", "init", "receiver"], ["go", "get", GO_MODULE], ["go", "build"]],
}
RUN_BY = {
    "python": [sys.executable, "receiver.py"],
    "node": ["node", "receiver.mjs"],
    "java": ["java", "-cp", "*", "Receiver.java"],
    "go": ["./receiver"],
}


@dataclass
class Receiver:
    url: str
    secret: str
    process: Popen[str]

    def unsigned(self) -> int:
        return httpx.post(self.url, content=BODY, trust_env=False).status_code

    def post(self, body: bytes = BODY, late_s: int = 0, signed: bytes = BODY, delivery_id: str = "msg_1") -> int:
        at = int(time.time()) - late_s
        headers = {
            "webhook-id": delivery_id,
            "webhook-timestamp": str(at),
            "webhook-signature": sign([bytes(24), secret_key(self.secret)], delivery_id, at, signed),
        }
        return httpx.post(self.url, content=body, headers=headers, trust_env=False).status_code

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def prepared(language: str, folder: Path) -> None:
    """The sample and its library in a folder; skips where they cannot be had."""
    sample = SAMPLES[language]
    shutil.copy(sample.path, folder)
    for command in FETCHED_BY.get(language, ()):
        if lacking := [tool for tool in (language, command[0]) if shutil.which(tool) is None]:
            pytest.skip(f"there is no {lacking[0]} here")
        done = run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_WITHIN_S, check=False)
        if done.returncode:
            pytest.skip(f"{command[0]} cannot get the library here: {(done.stderr or done.stdout)[-200:]}")


@contextmanager
def running(language: str, folder: Path) -> Iterator[Receiver]:
    prepared(language, folder)
    port, secret = free_port(), new_secret()
    env = {**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(port)}
    process = Popen(RUN_BY[language], cwd=folder, env=env, stdin=DEVNULL, stdout=PIPE, text=True)
    try:
        yield Receiver(f"http://127.0.0.1:{port}/", secret, process)
    finally:
        process.kill()
        process.communicate()


async def answering(receiver: Receiver) -> None:
    async with asyncio.timeout(START_WITHIN_S), httpx.AsyncClient(trust_env=False) as client:
        while True:
            assert receiver.process.poll() is None, "the sample ended"
            try:
                await client.post(receiver.url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return


@pytest.mark.parametrize(
    "language",
    [
        "python",
        *(
            pytest.param(
                language,
                marks=[
                    pytest.mark.prove,
                    pytest.mark.timeout(600),
                    pytest.mark.skipif(not IN_FULL, reason="its library is fetched by `make prove`"),
                ],
            )
            for language in FETCHED_BY
        ),
    ],
)
async def test_a_sample_takes_what_we_sign_and_nothing_else(language: str, tmp_path: Path) -> None:
    with running(language, tmp_path) as receiver:
        await answering(receiver)
        assert receiver.post(signed=b"{}") == 401
        assert receiver.post(late_s=330) == 401
        assert receiver.post(late_s=-330) == 401
        assert receiver.unsigned() == 401
        assert receiver.post() == 204
        assert receiver.post() == 204
        assert receiver.post(delivery_id="msg_2") == 204
        assert receiver.line().startswith("handled msg_1")
        assert receiver.line().startswith("handled msg_2"), "the repeat was handled again"
        assert receiver.post(b"x" * ((1 << 20) + 1)) == 413


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_the_document_shows_the_very_files_that_are_run(sample: Sample) -> None:
    document = (ROOT / "docs" / "receivers.md").read_text(encoding="utf-8")
    assert f"```{sample.fence}\n{sample.text()}```\n" in document
    assert sample.install in document


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_document_has_the_steps_of_the_portal(language: Language) -> None:
    assert len(steps(language)) == 7
    assert text(language) in (ROOT / "docs" / "receivers.md").read_text(encoding="utf-8")
