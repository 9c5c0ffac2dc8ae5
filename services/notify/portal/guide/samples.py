"""The samples of the guide: where each stands, and which published library it uses."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True)
class Sample:
    """`fence` is the language's name after a Markdown fence; `install` gets the library."""

    name: str
    fence: str
    file: str
    install: str

    @property
    def path(self) -> Path:
        return _HERE / self.file

    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")


SAMPLES: Final[dict[str, Sample]] = {
    "python": Sample("Python", "python", "receiver.py", "pip install standardwebhooks"),
    "node": Sample("Node", "js", "receiver.mjs", "npm install standardwebhooks"),
    "java": Sample("Java", "java", "Receiver.java", "com.standardwebhooks:standardwebhooks:1.1.0"),
    "go": Sample("Go", "go", "receiver.go", "go get github.com/standard-webhooks/standard-webhooks/libraries"),
}
