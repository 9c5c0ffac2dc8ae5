"""An ordered endpoint whose receiver refuses a fifth of all requests: no event before an earlier one of its subject."""

from benchmarks.result import Figure, Result
from benchmarks.scale import Scale
from benchmarks.webhooks import arrivals
from benchmarks.webhooks.parts import faults
from benchmarks.webhooks.size import Size
from benchmarks.webhooks.town import JOINED, town

_FAILING = 0.2
_SUBJECTS, _EACH = 2_000, 20  # at most so many, with at least so many events each
_ENDPOINTS = 4
_IN_FLIGHT = 16
# A fifth of all fail at random: that one fails eighteen times in a row, and parks its subject, is a matter of 10^-13.
_DELAYS_S = ",".join(["0", *["0.05"] * 17])


async def run(scale: Scale, size: Size) -> Result:
    """Up to 2,000 subjects, four endpoints; retries follow after 50 ms, so that many subjects are blocked."""
    env = {"KAIRAN_NOTIFY_RETRY_DELAYS_S": _DELAYS_S}
    async with town(scale, "ordered", env) as here:
        receivers = await here.settle_in(
            [("failing", _FAILING)] * _ENDPOINTS, [(JOINED,)] * _ENDPOINTS, ordered=True, in_flight=_IN_FLIGHT
        )
        scale.say(f"ordered: {size.events:,} deliveries, a fifth of the requests refused")
        count = size.events // _ENDPOINTS
        subjects = max(1, min(_SUBJECTS, count // _EACH))
        load = await here.publish(count, keys=subjects)
        await here.taken(len(load.times) * _ENDPOINTS, 60 + size.events / 20)
        await here.settled(within_s=120)
        notes = await here.street.notes()
        account = arrivals.reconcile(notes, {one: load.numbers(JOINED) for one in receivers}, subjects)
    seconds = float(notes["at"].max() - load.times[0])
    figures = [
        Figure("out of order within a subject", account.out_of_order, at_most=0),
        *faults("", account),
        Figure("deliveries per second", account.taken / seconds, "/s"),
        Figure("requests refused", float((notes["status"] == 500).mean() * 100), "%"),
    ]
    note = f"{account.taken:,} deliveries of {subjects:,} subjects to {_ENDPOINTS} endpoints in {seconds:.0f} s"
    return Result("ordered", figures, (note,))
