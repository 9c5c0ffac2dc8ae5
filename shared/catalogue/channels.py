"""The topics as the documents show them: who hears which, how many partitions, what is kept."""

from dataclasses import dataclass

SERVICES = ("membership", "events", "notify", "metrics")

HEARD: dict[str, tuple[str, ...]] = {
    "membership": ("kairan.clock",),
    "events": ("kairan.clock",),
    "notify": ("kairan.member", "kairan.session", "kairan.archive", "kairan.growth", "kairan.delivery"),
    "metrics": ("kairan.member", "kairan.member-profile", "kairan.session", "kairan.archive", "kairan.clock"),
}
"""Which service reads which topics. The clock is followed without a consumer group, and only in a replayed year."""


@dataclass(frozen=True)
class Channel:
    """A topic and the order it promises; kept for ever unless compacted."""

    topic: str
    says: str
    partitions: int = 12
    compacted: bool = False


CHANNELS = (
    Channel("kairan.member", "One member's story, in order: joined, left, erased, or never a member. Names nobody."),
    Channel(
        "kairan.member-profile",
        "What could single a member out: one record a member, the last counts, a tombstone empties it.",
        compacted=True,
    ),
    Channel("kairan.session", "One session's story, in order: scheduled, moved, cancelled, held."),
    Channel("kairan.archive", "One publication's story, in order: published, corrected, withdrawn."),
    Channel("kairan.growth", "What publications were followed by, in order per publication; and milestones."),
    Channel("kairan.delivery", "What webhook endpoints did not get, and which were disabled, in order per endpoint."),
    Channel("kairan.clock", "The clock of a replayed or demo year; silent elsewhere.", partitions=1),
)
