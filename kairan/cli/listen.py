"""`kairan listen`: receives webhooks on this machine, verifies each, and prints one line an event."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kairan.cli.options import DEFAULT, HomeOption, JsonOption
from kairan.cli.printable import forgive_stdout
from kairan.stack.errors import BadSetting, StackError
from kairan.stack.home import Home

if TYPE_CHECKING:
    from kairan.cli.service_client import ServiceClient

USAGE = 2
ANY_EVENT = "*"
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def command(
    event_types: Annotated[
        list[str] | None, typer.Argument(metavar="[EVENT_TYPE]...", help="With --endpoint: which events (default *).")
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8090,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            envvar="KAIRAN_LISTEN_SECRET",
            help="whsec_… (or whpk_…, for v1a), as the endpoint's maker was shown; several in turn.",
        ),
    ] = None,
    secret_file: Annotated[
        Path | None, typer.Option("--secret-file", dir_okay=False, help="A file of them, one a line; - is stdin.")
    ] = None,
    endpoint: Annotated[
        bool, typer.Option("--endpoint", help="Make an endpoint at the home's running stack; delete it at the end.")
    ] = False,
    answer: Annotated[
        int, typer.Option(min=200, max=599, help="The status for what is verified: 500 or 429 show retries.")
    ] = 204,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Receive webhooks until Ctrl-C or SIGTERM: verify each signature, answer, print one line an event.

    What is verified is answered with 204 (or --answer), the rest with 401; no JSON 400, above 1 MiB 413, not in 15 s
    408, no POST 405. With --json one object a line: id, verified, reason, type, subject, sequence, attempt, event
    (null unless verified), answered, repeat. Where it listens is said on stderr.

    Exit 0: it was told to stop; 1: the address cannot be had or the stack refuses the endpoint; 2: no usable secret.
    """
    if event_types and not endpoint:
        _usage("EVENT_TYPEs go with --endpoint")
    secrets = [*(secret or ()), *_from_file(secret_file)]
    if not secrets and not endpoint:
        _usage("give --secret, --secret-file or --endpoint: what cannot be verified is refused")
    forgive_stdout()
    asyncio.run(_listen(host, port, secrets, answer, _stack(home) if endpoint else None, event_types, as_json))


def _stack(home: Path) -> "ServiceClient":
    from kairan.cli.service_client import ServiceClient

    return ServiceClient(Home(home), "notify", ["endpoints:read", "endpoints:write"])


async def _listen(
    host: str,
    port: int,
    secrets: Sequence[str],
    answer: int,
    stack: "ServiceClient | None",
    event_types: Sequence[str] | None,
    as_json: bool,
) -> None:
    from kairan.cli.listen_receiver import Receiver, new_secret, stop_on_signals  # it loads the HTTP server
    from kairan.cli.listen_words import printer

    stop = stop_on_signals()
    receiver = Receiver(answer, printer(as_json), stop)
    try:
        receiver.trust(secrets)
    except ValueError as error:
        _usage(str(error))
    async with receiver.listening(host, port) as heard_at:
        _say(f"listening on http://{_authority(host, heard_at)}/ (Ctrl-C ends)")
        if stack is None:
            await stop.wait()
        else:
            url = f"http://{_authority(EVERYWHERE.get(host, host), heard_at)}/"
            # Of our own, so that it is trusted before the first request comes.
            secret = new_secret()
            receiver.trust([*secrets, secret])
            wish = {"url": url, "event_types": list(event_types or [ANY_EVENT]), "secret": secret}
            async with _registered(stack, wish):
                await stop.wait()
    if receiver.nobody_reads:
        raise BrokenPipeError


@asynccontextmanager
async def _registered(stack: "ServiceClient", wish: dict[str, Any]) -> AsyncIterator[None]:
    made: Any = await asyncio.to_thread(stack.post, "/v1/endpoints", wish)
    _say(f"endpoint {made['id']} hears {' '.join(wish['event_types'])}; its secret: {wish['secret']}")
    try:
        yield
    finally:
        try:
            await asyncio.to_thread(stack.delete, f"/v1/endpoints/{made['id']}")
        except StackError as error:
            raise StackError(f"the endpoint {made['id']} was not deleted: {error}") from None
        _say(f"endpoint {made['id']} deleted")


def _from_file(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        found = (sys.stdin.read() if path == Path("-") else path.read_text()).split()
    except (OSError, UnicodeError) as error:
        raise BadSetting(f"--secret-file {path} cannot be read: {error}") from None
    if not found:
        _usage(f"{path} holds no secret")
    return found


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _usage(words: str) -> None:
    _say(words)
    raise typer.Exit(USAGE)


def _say(line: str) -> None:
    try:
        print(f"kairan: {line}", file=sys.stderr, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
