"""What metrics keeps of a member's profile: a key of the organisation, the referrer, the depth; nothing after an erase.

Merges: any order of the facts, with repeats, gives the same. An erase is final, a void undoes the person's part.
"""

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from shared.catalogue import Event, JoinVoided, MemberErased, MemberProfile

DEEPEST = 64  # a chain is cut here: referrers that refer to each other in a circle have no depth
PROFILE_TYPE = "kairan.member-profile."


class Profile(NamedTuple):
    """One member's. `version`: of the profile that was heard last."""

    version: int = 0
    organisation: str | None = None
    referrer: str | None = None
    depth: int = 0
    void: bool = False
    erased: bool = False

    @property
    def counted_referrer(self) -> str | None:
        """By whom the member came, if that counts."""
        return None if self.void or self.erased else self.referrer


def merge(known: Profile, event: Event) -> Profile:
    """What is known after hearing `event`; the depth is not its business."""
    data = event.data
    if isinstance(data, JoinVoided):
        return known._replace(void=True)
    if isinstance(data, MemberErased) or (data is None and event.envelope.type.startswith(PROFILE_TYPE)):
        return known._replace(organisation=None, referrer=None, erased=True)
    version = event.envelope.aggregate_version
    if not isinstance(data, MemberProfile) or known.erased or version <= known.version:
        return known
    return known._replace(version=version, organisation=organisation_key(data.organisation), referrer=data.referrer_id)


def concerns(event: Event) -> bool:
    """Whether an event says something about a profile; a first profile that says nothing about the person does not."""
    data = event.data
    if isinstance(data, MemberProfile):
        empty = data.organisation is None and data.referrer_id is None
        return not (empty and event.envelope.aggregate_version <= 1)
    return isinstance(data, JoinVoided | MemberErased) or data is None


def organisation_key(name: str | None) -> str | None:
    """A key that spellings of one name share as far as width, case and spaces go; the name itself is not kept."""
    if name is None:
        return None
    plain = "".join(unicodedata.normalize("NFKC", name).casefold().split())
    return hashlib.blake2b(plain.encode(), digest_size=12).hexdigest() if plain else None


def depths(profiles: Mapping[str, Profile], around: Mapping[str, int]) -> dict[str, int]:
    """The depth of every profile; `around`: depths of referrers that are not among them (0 where unknown)."""
    found: dict[str, int] = {}
    for member in profiles:
        chain: list[str] = []
        at: str | None = member
        while at is not None and at in profiles and at not in found and at not in chain:
            chain.append(at)
            at = profiles[at].counted_referrer
        depth = -1 if at is None else found.get(at, 0 if at in chain else around.get(at, 0))
        for one in reversed(chain):
            depth = min(depth + 1, DEEPEST) if profiles[one].counted_referrer is not None else 0
            found[one] = depth
    return found


def counted(profile: Profile) -> Iterator[str]:
    """The sums that a profile is a part of: `organisation|KEY`, `depth|D`."""
    if profile.void or profile.erased:
        return
    if profile.organisation is not None:
        yield f"organisation|{profile.organisation}"
    if profile.depth:
        yield f"depth|{profile.depth}"
