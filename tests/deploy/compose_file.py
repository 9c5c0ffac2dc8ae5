"""docker-compose.yml and .env.example as a reader of files sees them, without Docker."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
VARIABLE = re.compile(r"\$\{(\w+)(?::?-([^}]*))?\}")


def services() -> dict[str, Any]:
    """Every service of the file, its variables not yet filled in."""
    return dict(yaml.safe_load(COMPOSE)["services"])


def environment(service: str) -> dict[str, str]:
    """What a service's container is told, each variable at its default."""
    told = services()[service]["environment"]
    return {name: VARIABLE.sub(r"\2", str(value)) for name, value in told.items()}


def keys(text: str = EXAMPLE) -> dict[str, str]:
    """The keys of an env file with their values."""
    lines = (line.partition("=") for line in text.splitlines() if line and not line.startswith("#"))
    return {key: value for key, _, value in lines}
