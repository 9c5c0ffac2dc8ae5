"""Writes `docs/events` from the code (`python -m shared.catalogue.generate`); `--check` says whether it differs."""

import difflib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.catalogue.asyncapi import all_documents
from shared.catalogue.evolution import breaking_changes
from shared.catalogue.pages import catalogue_page
from shared.catalogue.registry import CATALOGUE
from shared.catalogue.schemas import json_schema

ROOT = Path(__file__).resolve().parents[2]
DOCS = Path("docs/events")
GOLDEN = Path("tests/contract/catalogue/golden")


def documents(root: Path = ROOT) -> dict[Path, str]:
    """Every generated file, by its path from `root`. The golden messages under `root` are its examples."""
    examples = {path.stem: json.loads(path.read_text()) for path in sorted((root / GOLDEN).glob("*.json"))}
    written = {DOCS / "catalogue.md": catalogue_page(examples)}
    for entry in CATALOGUE.types:
        text = json.dumps(json_schema(entry), ensure_ascii=False, indent=2)
        written[DOCS / "schemas" / f"{entry.name}.v{entry.version}.json"] = text + "\n"
    for service, text in all_documents().items():
        written[DOCS / "asyncapi" / f"{service}.yaml"] = text
    return written


def broken_promises(root: Path = ROOT) -> list[str]:
    """What the models no longer keep of the committed schemas, one sentence each; empty when all is well."""
    current = {f"{entry.name}.v{entry.version}": json_schema(entry) for entry in CATALOGUE.types}
    found = []
    for path in sorted((root / DOCS / "schemas").glob("*.json")):
        if path.stem not in current:
            found.append(f"{path.stem} is gone, but the log keeps its messages for ever")
            continue
        changes = breaking_changes(json.loads(path.read_text()), current[path.stem])
        found += [f"{path.stem}: {change}" for change in changes]
    return found


def differences(root: Path = ROOT) -> str:
    """A unified diff from the committed files to what the code says; empty when they agree."""
    diff: list[str] = []
    for path, text in documents(root).items():
        committed = (root / path).read_text() if (root / path).exists() else ""
        diff += difflib.unified_diff(
            committed.splitlines(keepends=True), text.splitlines(keepends=True), f"committed/{path}", f"code/{path}"
        )
    return "".join(diff)


def write(root: Path = ROOT) -> None:
    """Writes every generated file under `root`."""
    for path, text in documents(root).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Exit code: 0 the files agree or were written; 1 they differ, or a change needs a new version; 2 misused."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write("usage: python -m shared.catalogue.generate [--check]\n")
        return 2
    if broken := broken_promises(root):
        lines = [f"  {sentence}\n" for sentence in broken]
        sys.stderr.write("".join(["these changes need a new version (docs/evolution.md):\n", *lines]))
        return 1
    if not arguments:
        write(root)
        return 0
    diff = differences(root)
    if diff:
        sys.stdout.write(diff)
        sys.stderr.write("docs/events differs from the code: run `make generate` and look at the diff\n")
    return 1 if diff else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
