"""The split figures of the last day that was closed: one document, no generation's, so that a rebuild moves nothing."""

from datetime import date

from services.metrics.domain.splits import Splits
from shared.store.mongo import Session, Store

_COLLECTION, _ID = "shown_splits", "all"


async def read_splits(store: Store) -> Splits | None:
    """What is shown; None before the first day that had members."""
    row = await store.collection(_COLLECTION).find_one({"_id": _ID})
    return Splits(**{**row, "day": date.fromisoformat(row["day"])}) if row else None


async def write_splits(store: Store, splits: Splits, session: Session) -> None:
    """Takes the place of what was shown; in the board's transaction."""
    content = {**splits.model_dump(), "day": splits.day.isoformat()}
    await store.collection(_COLLECTION).replace_one({"_id": _ID}, content, upsert=True, session=session)
