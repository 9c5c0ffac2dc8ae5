"""What a lane asks of whoever makes its attempts."""

from typing import Literal, Protocol

from services.notify.delivery import Settled, Waiting

Begun = Literal["attempt", "probe", "expired"]


class Attempt(Protocol):
    """Makes one endpoint's attempts.

    `pause_s(flying)` says how long none may begin beside the `flying` ones: 0 for now, infinity until one has ended.
    `begin` is called when one begins, without a pause after that; what it says is handed to the attempt itself, which
    answers False when it may not be made (the lane keeps the delivery for later). `written(settled)` is called once
    what became of it is durable. Raises StoreError or Overloaded when nothing was concluded.
    """

    def pause_s(self, flying: int) -> float: ...

    def begin(self, delivery: Waiting) -> Begun: ...

    async def __call__(self, delivery: Waiting, begun: Begun, written: "Written") -> bool: ...


class Written(Protocol):
    def __call__(self, settled: Settled) -> None: ...
