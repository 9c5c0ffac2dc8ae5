"""The request bodies that an OpenAPI document shows, sent as they stand."""

from collections.abc import Mapping
from typing import Any

from tests.services.world import World


async def post_example(world: World, path: str, operation: Mapping[str, Any]) -> int:
    """Sends the operation's example as it stands; the status of the answer."""
    [(media_type, content)] = operation["requestBody"]["content"].items()
    body = {"json": content["example"]} if media_type == "application/json" else {"content": content["example"]}
    answer = await world.http.post(path, headers={"Content-Type": media_type}, **body)
    return answer.status_code


async def all_examples(world: World, leave_out: str = "") -> dict[str, int]:
    """Every example twice, each time on a resource of its own; the path and the status of what failed."""
    document = (await world.http.get("/openapi.json")).json()
    failed = {}
    for path, operations in document["paths"].items():
        if path == leave_out or "requestBody" not in operations.get("post", {}):
            continue
        for _ in range(2):
            place = path
            if "{" in path:
                root = path[: path.index("/{")]
                [media] = document["paths"][root]["post"]["requestBody"]["content"].values()
                created = await world.http.post(root, json=media["example"])
                place = f"{root}/{created.json()['id']}/{path.rpartition('/')[2]}"
            if (status := await post_example(world, place, operations["post"])) >= 300:
                failed[path] = status
    return failed
