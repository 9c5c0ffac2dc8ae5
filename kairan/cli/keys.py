"""`kairan keys`: makes the keys of a home that are missing, for services that no supervisor starts."""

from pathlib import Path
from typing import Annotated

import typer

from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.stack.home import Home
from kairan.stack.whole_file import replace
from shared.web.tokens import KEY_FILE, ensure_keys


def command(
    jwks_file: Annotated[
        Path | None, typer.Option(envvar="KAIRAN_JWKS_FILE", help="Where the public half goes as well.")
    ] = None,
    notify_secrets_key_file: Annotated[
        Path | None,
        typer.Option(envvar="KAIRAN_NOTIFY_SECRETS_KEY_FILE", help="Where notify's key goes instead of the home."),
    ] = None,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Make what is missing: the key that signs tokens, and the key under which notify keeps secrets.

    What is there stays. The two options take one file each out of the home, so that who verifies cannot sign.
    """
    place = Home(home)
    place.prepare()
    ensure_keys(place.keys)
    public = place.jwks_file.read_text()
    if jwks_file and not (jwks_file.exists() and jwks_file.read_text() == public):
        replace(jwks_file, public)
    made = {
        "signing": str(place.keys / KEY_FILE),
        "jwks": str(jwks_file or place.jwks_file),
        "notify": str(place.make_notify_key(notify_secrets_key_file)),
    }
    if as_json:
        print_json(made)
    else:
        print("\n".join(f"{name:<8} {path}" for name, path in made.items()))
