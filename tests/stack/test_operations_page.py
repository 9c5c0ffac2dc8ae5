"""docs/operations.md against the code: no setting and no command is missing there."""

from pathlib import Path

from kairan.cli.main import COMMANDS
from shared.settings import ServiceSettings

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def test_every_setting_of_the_services_is_named():
    names = [f"KAIRAN_{name.upper()}" for name in ServiceSettings.model_fields]
    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_every_command_is_named():
    assert [name for name in COMMANDS if f"`kairan {name}" not in PAGE] == []
