"""Growth accounting as asked for: totals straight from the aggregates, split figures as they were closed last."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from services.metrics.domain.counts import hour_of
from services.metrics.domain.splits import Splits
from services.metrics.figures import Figures
from services.metrics.growth import accounting
from services.metrics.store.accounts import Accounts
from services.metrics.store.read_model import ReadModel
from services.metrics.store.splits import read_splits
from shared.clock import ClockKind, jst_midnight, wall_now
from shared.store.mongo import Store
from shared.web.times import utc_text

PERIODS_DAYS = (28, 91, 365)


class Accounting:
    """Answers of one service; `clock` says whose now ends what is known."""

    def __init__(self, store: Store, clock: ClockKind) -> None:
        self._store = store
        self._clock = clock
        self._figures = Figures(store, clock)

    async def all(self, as_of: date | None) -> dict[str, Any]:
        """Everything; totals up to the end of day `as_of` (None: up to now)."""
        counted = await self._figures.members(as_of)
        accounts = await Accounts.serving(self._store)
        joined = await accounts.joined(as_of)
        splits = await read_splits(self._store)
        reach = accounting.reach(counted["members"], splits.organisations if splits else 0)
        return {
            "as_of": counted["as_of"],
            "members": counted["members"],
            "growth": await self._growth(as_of, counted["members"]),
            "reach": {
                **asdict(reach),
                "of_members": accounting.PUBLIC_SERVANTS,
                "of_organisations": accounting.ORGANISATIONS,
            },
            "joins": sum(joined.by_source.values()),
            "sources": [asdict(one) for one in accounting.source_mix(joined.by_source)],
            **_split(splits),
        }

    async def _growth(self, as_of: date | None, members: int) -> list[dict[str, Any]]:
        model = await ReadModel.serving(self._store)
        now = wall_now() if self._clock == "wall" else (await model.stream_time()).until
        if as_of is not None:
            now = min(now, jst_midnight(as_of) + timedelta(days=1)) if now else None
        lines = []
        for days in PERIODS_DAYS:
            before = await model.members(hour_of(now - timedelta(days=days))) if now else 0
            factor = accounting.growth_factor(before, members)
            since = utc_text(now - timedelta(days=days)) if now else None
            lines.append({"days": days, "since": since, "members_then": before, "factor": factor})
        return lines


def _split(splits: Splits | None) -> dict[str, Any]:
    if splits is None:
        return {"split_day": None, "referral": None, "depths": [], "cohorts": []}
    return {
        "split_day": splits.day.isoformat(),
        **splits.model_dump(mode="json", include={"referral", "depths", "cohorts"}),
    }
