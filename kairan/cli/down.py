"""`kairan down`: stops the stack of a home, and what a killed supervisor left behind."""

from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.stack.down import bring_down
from kairan.stack.home import Home


def command(home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Stop everything of this home; the data stay. It is no error when nothing runs."""
    done = bring_down(Home(home))
    if as_json:
        print_json({"stopped": done.stopped, "leftovers": done.leftovers})
    elif done.stopped:
        print("stopped")
    elif done.leftovers:
        print(f"no supervisor was alive; stopped what it had left behind: {', '.join(done.leftovers)}")
    else:
        print(f"nothing runs in {Home(home).root}")
