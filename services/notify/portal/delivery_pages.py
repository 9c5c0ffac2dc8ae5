"""The pages of deliveries: the log, searched and paged, and one delivery with its attempts."""

import json
from typing import Any, Final, get_args

import orjson
from starlette.responses import Response

from services.notify.log import Log
from services.notify.outcome import DeliveryState, Failure
from services.notify.portal import render
from services.notify.portal.pages import Pages
from services.notify.portal.refusals import correctable, refusal
from services.notify.portal.search_form import Search, following, typed
from services.notify.portal.visit import Visit
from services.notify.replay import Replays
from services.notify.shown_log import delivery_whole, page_shown

HERE: Final = "deliveries"
ON_A_PAGE: Final = 50
CHOICES: Final = {"states": get_args(DeliveryState), "errors": [one.value for one in Failure]}


class DeliveryPages:
    """Words and forms; the log answers."""

    def __init__(self, log: Log, replays: Replays) -> None:
        self._log, self._replays = log, replays

    def add_to(self, pages: Pages) -> None:
        pages.shows("/deliveries", self.search)
        pages.shows("/deliveries/{id}", self.one)
        pages.takes("/deliveries/{id}/skip", self.skip)

    async def search(self, visit: Visit) -> Response:
        asked = typed(visit)
        shown: dict[str, Any] = {"deliveries": [], "next": None, "partial": False}
        said, status = None, 200
        try:
            search = Search.read(asked)
            shown = page_shown(await self._log.search(search.question, search.place, ON_A_PAGE, visit.caller))
        except Exception as error:
            said = refusal(correctable(error), visit.words)
            status = said.status
        older = following(asked, shown["next"]) if shown["next"] else None
        page = {"asked": asked, "older": older, "refusal": said, **CHOICES}
        return render.page(visit, "deliveries.html", status, here=HERE, **shown, **page)

    async def one(self, visit: Visit) -> Response:
        found = delivery_whole(await self._log.show(visit.path("id"), visit.caller))
        return render.page(visit, "delivery.html", here=HERE, one=found, payload=_indented(found["payload"]))

    async def skip(self, visit: Visit) -> Response:
        await self._replays.skip(visit.path("id"), visit.caller)
        return render.redirect(f"/deliveries/{visit.path('id')}", done="skipped")


def _indented(payload: object) -> str | None:
    return None if payload is None else json.dumps(json.loads(orjson.dumps(payload)), indent=2, ensure_ascii=False)
