"""The page about security says what the code does."""

import re
from pathlib import Path

from shared.web.auth import ALGORITHMS, COOKIE
from shared.web.scopes import SCOPES

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text()


def test_the_table_of_scopes_is_the_list_in_code() -> None:
    assert re.findall(r"^\| `([a-z]+:[a-z]+)` \|", PAGE, re.MULTILINE) == list(SCOPES)


def test_it_names_the_algorithms_and_the_cookie() -> None:
    assert all(f"`{name}`" in PAGE for name in (*ALGORITHMS, COOKIE))
