"""Every endpoint that is not deleted, read again only when one of them has changed."""

from services.notify.endpoint import Endpoints
from services.notify.listing import Listing
from services.notify.store import NotifyStore
from shared.store.mongo import Session


class Directory:
    """`read()` asks the database for a mark of all endpoints, a few bytes, and for the endpoints when it is another.

    `listing` is what was read last.
    """

    def __init__(self, store: NotifyStore, endpoints: Endpoints) -> None:
        self._store = store
        self._endpoints = endpoints
        self._mark: tuple[int, int] | None = None
        self.listing: Listing | None = None

    async def read(self) -> Listing:
        """As of now. The same Listing while nothing has changed."""
        return await self.of(await self._store.mark())

    async def of(self, mark: tuple[int, int], session: Session = None) -> Listing:
        """As of the mark; inside a transaction as of its snapshot, which the mark must be of."""
        if self.listing is None or mark != self._mark:
            self.listing = Listing(self._endpoints.of(await self._store.endpoints(session)))
            self._mark = mark
        return self.listing
