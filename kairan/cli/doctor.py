"""`kairan doctor`: what is missing or wrong, in words."""

import typer

from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.stack.checkup import check_up
from kairan.stack.home import Home

SIGNS = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}


def command(home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Look at this machine, the settings and the home. Exit 0 only if a stack would start, else 1."""
    findings = check_up(Home(home))
    fine = all(one.verdict != "wrong" for one in findings)
    if as_json:
        checks = [{"name": one.name, "verdict": one.verdict, "words": one.words} for one in findings]
        print_json({"ok": fine, "checks": checks})
    else:
        for one in findings:
            print(f"{SIGNS[one.verdict]}  {one.name}: {one.words}")
        print("a stack would start" if fine else "a stack would not start")
    if not fine:
        raise typer.Exit(1)
