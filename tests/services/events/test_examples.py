"""Every request body in the OpenAPI document works as it stands, and again."""

from tests.services.examples import all_examples
from tests.services.world import World


async def test_every_example_works_as_it_stands(events: World, streamed: World) -> None:
    assert await all_examples(events, leave_out="/v1/clock") == {}
    assert await all_examples(streamed) == {}
