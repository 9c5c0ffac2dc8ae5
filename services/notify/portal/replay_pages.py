"""The pages of replays: choose, see what it comes to, say so, and how far it has come."""

from typing import Any, Final, get_args

from starlette.responses import Response

from services.notify.desk import Desk
from services.notify.outcome import DeliveryState
from services.notify.portal import render
from services.notify.portal.pages import Pages
from services.notify.portal.refusals import correctable, refusal
from services.notify.portal.replay_form import HISTORY, selection, typed
from services.notify.portal.visit import Visit
from services.notify.replay import Replays
from services.notify.shown import endpoint_shown
from services.notify.shown_replay import preview_shown, replay_shown

HERE: Final = "endpoints"


class ReplayPages:
    """Words and forms; the replays do it."""

    def __init__(self, desk: Desk, replays: Replays) -> None:
        self._desk, self._replays = desk, replays

    def add_to(self, pages: Pages) -> None:
        pages.shows("/endpoints/{id}/replay", self.choose, "endpoints:write")
        pages.takes("/endpoints/{id}/replay", self.start)
        pages.shows("/replays/{id}", self.progress)
        pages.takes("/replays/{id}/stop", self.stop)

    async def choose(self, visit: Visit) -> Response:
        """The form; with `preview` what is chosen comes to, and the button that starts just that."""
        endpoint = endpoint_shown(await self._desk.show(visit.path("id"), visit.caller))
        asked = typed(visit)
        values: dict[str, Any] = {"preview": None, "refusal": None}
        if visit.asked("preview"):
            try:
                found = await self._replays.preview(visit.path("id"), selection(asked), visit.caller)
                values["preview"] = preview_shown(found)
            except Exception as error:
                values["refusal"] = refusal(correctable(error), visit.words)
        status = 200 if values["refusal"] is None else values["refusal"].status
        choices = {"states": get_args(DeliveryState), "history": HISTORY}
        return render.page(visit, "replay.html", status, here=HERE, endpoint=endpoint, asked=asked, **choices, **values)

    async def start(self, visit: Visit) -> Response:
        found = await self._replays.start(visit.path("id"), visit.said("token"), None, visit.caller)
        return render.redirect(f"/replays/{found['_id']}", done="replayed")

    async def progress(self, visit: Visit) -> Response:
        found = replay_shown(await self._replays.show(visit.path("id"), visit.caller))
        return render.page(visit, "replay_progress.html", here=HERE, one=found)

    async def stop(self, visit: Visit) -> Response:
        await self._replays.stop(visit.path("id"), visit.caller)
        return render.redirect(f"/replays/{visit.path('id')}", done="stopped")
