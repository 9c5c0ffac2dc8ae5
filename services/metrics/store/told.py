"""What was told on kairan.growth, beside the outbox: no generation's, so that a rebuild tells nothing."""

from collections.abc import Sequence
from datetime import datetime

from services.metrics.domain.news import News, Told
from shared.bus import outbox
from shared.catalogue import CATALOGUE, GrowthSpikeDetected, MilestoneReached
from shared.store.mongo import Document, Session, Store

SOURCE = "/kairan/metrics"
_COLLECTION = "told"


async def read_told(store: Store) -> Told:
    """All that was told."""
    told = Told()
    async for row in store.collection(_COLLECTION).find():
        told.ids.add(row["_id"])
        told.versions[row["subject"]] = max(told.versions.get(row["subject"], 0), row["version"])
        if row.get("alarm_at") is not None:
            told.alarms[row["stream"], row["subject"]] = row["alarm_at"]
        told.highest = max(told.highest, row.get("value", 0))
    return told


class Telling:
    """News with their places in their subjects' stories; written with the board, in its transaction."""

    def __init__(self, store: Store, news: Sequence[News], told: Told, recorded_at: datetime) -> None:
        """Notes them as told in `told`; if the transaction then fails, what was told has to be read again."""
        self._store = store
        self._rows: list[Document] = []
        facts = []
        for one in news:
            version = told.note(one)
            self._rows.append(_row(one, version))
            facts.append(
                outbox.Fact(
                    id=one.about.id,
                    type=CATALOGUE.for_model(type(one.data)),
                    data=one.data,
                    subject=one.about.subject,
                    version=version,
                    occurred_at=one.at,
                    recorded_at=recorded_at,
                )
            )
        self._outgoing = outbox.documents(SOURCE, facts)

    async def write(self, session: Session) -> None:
        """Into the outbox, and into what was told; a repeat of an id aborts the transaction."""
        if self._rows:
            await self._store.collection(_COLLECTION).insert_many(self._rows, session=session)
            await self._store.collection(outbox.COLLECTION).insert_many(self._outgoing, session=session)


def _row(news: News, version: int) -> Document:
    row: Document = {"_id": news.about.id, **news.about._asdict(), "version": version}
    if isinstance(news.data, GrowthSpikeDetected):
        row["alarm_at"] = news.at
    if isinstance(news.data, MilestoneReached):
        row["value"] = news.data.value
    return row
