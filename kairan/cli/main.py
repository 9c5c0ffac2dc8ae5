"""`kairan`: names every command, imports the one that is asked for, turns every error into one line and an exit code.

A module of a command has `app` (a Typer with subcommands or a single command) or a function named `command`, or named
as the command. What its `--help` says is the function's docstring.
"""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from kairan.cli.quick_words import quick_call
from kairan.stack.errors import HomeInUse, StackError

if TYPE_CHECKING:
    import typer

COMMANDS = {
    "demo": "Play a community's year through a real stack and open its page.",
    "ledger": "Print which publication brought how many, from two CSV files or a running stack.",
    "audit": "Print how often the alarm goes off where nothing was published.",
    "replay": "Put your own joins and publications through a stack and print the ledger.",
    "up": "Run the whole stack in the foreground and keep it alive.",
    "down": "Stop the stack of a home, and whatever a killed one left behind.",
    "status": "Say what runs, where, and whether it is ready.",
    "doctor": "Say what is missing or wrong; exit 0 if a stack would start.",
    "link": "Print a new one-time link to the page, or to the portal of webhooks.",
    "token": "Print a bearer token for the APIs.",
    "keys": "Make the keys of a home that are missing.",
    "topics": "Create the topics that are declared and missing.",
    "endpoints": "List, make, change and try webhook endpoints; say whether an address would be accepted.",
    "listen": "Receive and verify webhooks on this machine, for who writes a consumer.",
    "deliveries": "Search the log of webhooks; pull, skip, send again.",
    "dlt": "List, show and replay dead letters; resume stopped consumers.",
    "rebuild": "Fill a read model anew from the log, beside the live one.",
}
WITHOUT_LOGS = ("ledger", "audit")  # nothing in them logs, and structlog takes its time to load
FAILED, USAGE, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script; ends the process with the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    wanted = next((word for word in words if not word.startswith("-")), None)
    _open_what_is_closed()
    try:
        if (quick := quick_call(words)) is not None:
            _end_by(quick)
        program = build(wanted)
        if wanted in COMMANDS and wanted not in WITHOUT_LOGS:
            _quiet_libraries()
        program(args=words, prog_name="kairan")
    except StackError as error:
        _end(str(error), USAGE if isinstance(error, HomeInUse) else FAILED)
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except Exception as error:
        if os.environ.get("KAIRAN_DEBUG"):
            raise
        _end(f"{type(error).__name__}: {error} (KAIRAN_DEBUG=1 shows where)", FAILED)


def build(wanted: str | None) -> "typer.Typer":
    """The program with the wanted command loaded and all others known by name only."""
    import typer  # here, as `main` turns a Ctrl-C into words, and a module that is only just loading cannot

    program = typer.Typer(
        name="kairan",
        help="Kairan: what was published, who joined, how sure we are.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, summary in COMMANDS.items():
        if name == wanted:
            _attach(program, name)
        else:
            program.command(name, help=summary)(_unloaded)
    return program


def _unloaded() -> None:
    raise AssertionError("only the wanted command is run")


def _attach(program: "typer.Typer", name: str) -> None:
    module = importlib.import_module(f"kairan.cli.{name}")
    app: Any = getattr(module, "app", None)
    if app is None:
        program.command(name)(getattr(module, "command", None) or getattr(module, name))
    elif len(app.registered_commands) == 1 and app.registered_callback is None and not app.registered_groups:
        program.command(name)(app.registered_commands[0].callback)
    else:
        program.add_typer(app, name=name, no_args_is_help=True)


def _quiet_libraries() -> None:
    """Stdout belongs to the command's answer; what libraries log goes to stderr, from warnings on."""
    import logging

    import structlog

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it reports every reconnect; the command says what counts
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def _end_by(quick: Callable[[], None]) -> NoReturn:
    import typer

    try:
        quick()
    except typer.Exit as ended:  # the parser turns its own into exit codes
        sys.exit(ended.exit_code)
    sys.exit(0)


def _open_what_is_closed() -> None:
    """Who starts a command without a stdout or stderr (`>&-`) hears nothing, which is no error."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115


def _end(words: str, code: int) -> None:
    sys.stdout.flush()
    print(f"kairan: {words}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
