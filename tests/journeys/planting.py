"""Plants a canary in every free-text field of an API; its OpenAPI document says which: fields to come too."""

import csv
import io
import re
import secrets
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs

from shared.web.scopes import SCOPES
from tests.journeys.talk import Visitor

CANARY = re.compile(rb"canary[0-9a-f]{12}")
Path = tuple[str, ...]
Shape = str
"""How a canary is dressed to be let in: `prose`, `email` or `url`."""


@dataclass(frozen=True)
class Planted:
    """One canary: `field` is dotted (`title.ja`), `resource` the id of what it was said about."""

    canary: bytes
    service: str
    operation: str
    field: str
    resource: str


def new_canary() -> str:
    return f"canary{secrets.token_hex(6)}"


def dressed(shape: Shape, canary: str) -> str:
    return {
        "prose": f"カナリア {canary}",
        "email": f"{canary}@example.com",
        "url": f"https://hooks.example.com/{canary}",
    }[shape]


def shape_of(schema: Mapping[str, Any]) -> Shape | None:
    """How free text gets into a field; None where it cannot: ids, codes, times and numbers."""

    def takes(value: str) -> bool:
        return bool(jsonschema_rs.is_valid(schema, value, validate_formats=True))

    if takes(dressed("prose", "canary")):
        return "prose"
    if takes("canary"):
        return None  # an id: what is no word of the catalogue's alphabet does not fit in
    return next((shape for shape in ("email", "url") if takes(dressed(shape, "canary"))), None)


def free_text(schema: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Shape]]:
    """Every field of a body, however deep, that takes free text."""
    for option in (schema, *schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        for name, part in option.get("properties", {}).items():
            yield from free_text(part, (*path, name))
        if "items" in option:
            yield from free_text(option["items"], (*path, "[]"))
    shape = shape_of(schema) if path and not schema.get("properties") else None
    if shape:
        yield path, shape


def put(body: Any, path: Path, value: str) -> Any:
    """The body with `value` at `path`."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if head == "[]":
        return [put(None, rest, value)]
    known = dict(body or {})
    return {**known, head: put(known.get(head), rest, value)}


def example_of(schema: Mapping[str, Any], path: Path) -> Any:
    """The example of the part at `path`, where its schema has one: its other fields may be needed, too."""
    options = (schema, *schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ()))
    if not path:
        return next((option["example"] for option in options if "example" in option), None)
    parts = [option["properties"][path[0]] for option in options if path[0] in option.get("properties", {})]
    return next((found for found in (example_of(part, path[1:]) for part in parts) if found is not None), None)


@dataclass
class Planter:
    """Runs every operation that takes free text, each on a thing of its own.

    `receiver` is where webhooks may go. No answer may repeat a canary.
    """

    visitor: Visitor
    receiver: str
    planted: list[Planted] = field(default_factory=list)

    async def plant(self, service: str) -> None:
        """In all operations of a service."""
        for path, operations in (await self._paths(service)).items():
            for method, operation in operations.items():
                content = operation.get("requestBody", {}).get("content", {})
                if "application/json" in content and list(free_text(content["application/json"]["schema"])):
                    await self._say(service, method, path, content["application/json"])
                elif "text/csv" in content:
                    await self._bring(service, path, content["text/csv"])

    def of(self, service: str, *names: str) -> set[bytes]:
        """The canaries of a service, or of its fields of these names."""
        return {
            one.canary
            for one in self.planted
            if one.service == service and (not names or one.field.split(".")[0] in names)
        }

    async def _paths(self, service: str) -> dict[str, Any]:
        answer = await self.visitor.http.get(f"{self.visitor.stack.urls[service]}/openapi.json")
        return dict(answer.json()["paths"])

    async def _say(self, service: str, method: str, path: str, content: Mapping[str, Any]) -> str:
        """Says the example, with canaries, and then what is refused; returns the id that it was about."""
        body, canaries = deepcopy(content.get("example", {})), {}
        for where, shape in free_text(content["schema"]):
            canaries[where] = new_canary()
            if len(where) == 2 and where[0] not in body:
                body = put(body, where[:1], deepcopy(example_of(content["schema"], where[:1])))
            body = put(body, where, self._dressed(service, shape, canaries[where]))
        target = await self._on_something(service, path)
        answer = await self._ask(method, service, target, json=body)
        self._note(service, path, {".".join(where): canary for where, canary in canaries.items()}, answer["id"])
        for where in canaries:
            wrong = put(body, where, f"\u0000{new_canary()}")
            await self._ask(method, service, target, json=wrong, expected=422)
        await self._ask(method, service, target, json={**body, "surprise": new_canary()}, expected=422)
        return str(answer["id"])

    async def _bring(self, service: str, path: str, content: Mapping[str, Any]) -> None:
        """A list of one, with a canary in every column that takes free text where it is said one by one."""
        single = (await self._paths(service))[path.partition(":")[0]]["post"]["requestBody"]["content"]
        fields = {where[0]: shape for where, shape in free_text(single["application/json"]["schema"])}
        canaries = {name: new_canary() for name in fields if name in content["schema"]["pattern"]}
        text = io.StringIO()
        table = csv.writer(text)
        table.writerow(canaries)
        table.writerow(self._dressed(service, fields[name], canary) for name, canary in canaries.items())
        table.writerow(f"\u0000{new_canary()}" for _ in canaries)
        headers = {"Content-Type": "text/csv"}
        answer = await self._ask("post", service, path, content=text.getvalue().encode(), headers=headers)
        created, refused = answer["rows"]
        assert refused["status"] == "refused"
        self._note(service, path, canaries, created["id"])

    async def _on_something(self, service: str, path: str) -> str:
        """The path with the id of a fresh thing of its kind."""
        if "{" not in path:
            return path
        collection, _, rest = path.partition("/{")
        maker = (await self._paths(service))[collection]["post"]["requestBody"]["content"]["application/json"]
        made = await self._say(service, "post", collection, maker)
        return f"{collection}/{made}{rest.partition('}')[2]}"

    async def _ask(self, method: str, service: str, path: str, *, expected: int = 0, **what: Any) -> Any:
        answer = await self.visitor.ask(method.upper(), service, path, *SCOPES, expected=expected, **what)
        assert not CANARY.search(str(answer).encode()), f"the answer to {path} repeats what was said"
        return answer

    def _dressed(self, service: str, shape: Shape, canary: str) -> str:
        return f"{self.receiver}/{canary}" if service == "notify" and shape == "url" else dressed(shape, canary)

    def _note(self, service: str, operation: str, canaries: Mapping[str, str], resource: str) -> None:
        self.planted += [
            Planted(canary.encode(), service, operation, name, resource) for name, canary in canaries.items()
        ]
