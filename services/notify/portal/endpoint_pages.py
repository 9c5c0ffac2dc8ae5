"""The pages of endpoints: all of them, a new one, one of them and what can be done with it."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, get_args

from starlette.responses import Response

from services.notify.desk import Desk
from services.notify.domain import EVENT_NAMES, Kind
from services.notify.issued import Issued
from services.notify.portal import render
from services.notify.portal.endpoint_form import parsed, text_of, typed, wish
from services.notify.portal.once import Once
from services.notify.portal.pages import Pages
from services.notify.portal.refusals import Refusal, correctable, refusal
from services.notify.portal.visit import Visit
from services.notify.requests import Changing, Registering, Rotating, Trying
from services.notify.shown import audit_shown, dry_run_shown, endpoint_shown
from services.notify.trials import Trials
from shared.bus.command import IdempotencyKey, Outcome
from shared.web.auth import Caller
from shared.web.problems import Problem

HERE: Final = "endpoints"
DAY_S: Final = 86_400.0
OVERLAPS_S: Final = ("0", "86400", "604800")
CHANGES_SHOWN: Final = 20
Change = Callable[[str, Caller, IdempotencyKey | None], Awaitable[Outcome]]


class EndpointPages:
    """Words and forms; the desk and the trials do it."""

    def __init__(self, desk: Desk, trials: Trials, once: Once) -> None:
        self._desk, self._trials, self._once = desk, trials, once

    def add_to(self, pages: Pages) -> None:
        pages.shows("/endpoints", self.all)
        pages.takes("/endpoints", self.create)
        pages.shows("/endpoints/new", self.new, "endpoints:write")
        pages.shows("/endpoints/{id}", self.one)
        pages.takes("/endpoints/{id}", self.save)
        pages.shows("/endpoints/{id}/dry-run", self.dry_run)
        pages.takes("/endpoints/{id}/pause", self._changing(self._desk.pause, "paused"))
        pages.takes("/endpoints/{id}/resume", self._changing(self._desk.resume, "resumed"))
        pages.takes("/endpoints/{id}/verify", self._changing(self._desk.verify, "verified"))
        pages.takes("/endpoints/{id}/delete", self.delete)
        pages.takes("/endpoints/{id}/rotate", self.rotate)
        pages.takes("/endpoints/{id}/test", self.test)

    async def all(self, visit: Visit) -> Response:
        found = [endpoint_shown(one) for one in await self._desk.list(visit.caller)]
        return render.page(visit, "endpoints.html", here=HERE, endpoints=found)

    async def new(self, visit: Visit) -> Response:
        return self._form(
            visit, {"event_types": "*", "kind": "webhook", "signature": "v1", "language": visit.language}, None
        )

    async def create(self, visit: Visit) -> Response:
        """The secret waits for the endpoint's own page, which shows it once."""
        try:
            wanted = Registering.model_validate({**wish(visit), **_settled_once(visit)})
            issued = await self._desk.create(wanted, visit.caller, await visit.key())
        except Exception as error:
            return self._form(visit, typed(visit), correctable(error))
        return await self._issued(visit, issued, "created")

    async def one(self, visit: Visit) -> Response:
        endpoint = await self._shown(visit)
        return await self._page(visit, endpoint, text_of(endpoint), None)

    async def save(self, visit: Visit) -> Response:
        endpoint = await self._shown(visit)
        try:
            wanted = Changing.model_validate(_changes(visit, endpoint))
            await self._desk.update(endpoint["id"], wanted, visit.caller, await visit.key())
        except Exception as error:
            return await self._page(visit, endpoint, typed(visit), correctable(error))
        return render.redirect(f"/endpoints/{endpoint['id']}", done="saved")

    async def delete(self, visit: Visit) -> Response:
        await self._desk.delete(visit.path("id"), visit.caller, await visit.key())
        return render.redirect("/endpoints", done="deleted")

    async def rotate(self, visit: Visit) -> Response:
        """The new secret waits for the endpoint's own page, which shows it once."""
        overlap_s = float(visit.said("overlap_s")) if visit.said("overlap_s") in OVERLAPS_S else DAY_S
        wanted = Rotating(overlap_s=overlap_s)
        issued = await self._desk.rotate(visit.path("id"), wanted, visit.caller, await visit.key())
        return await self._issued(visit, issued, "rotated")

    async def test(self, visit: Visit) -> Response:
        sent = await self._trials.test(visit.path("id"), visit.caller, await visit.key())
        return render.redirect(f"/deliveries/{sent.delivery_id}", done="tested")

    async def dry_run(self, visit: Visit) -> Response:
        endpoint = await self._shown(visit)
        text = visit.asked("filter") if "filter" in visit.request.query_params else text_of(endpoint)["filter"]
        values: dict[str, Any] = {"endpoint": endpoint, "text": text, "result": None, "refusal": None}
        try:
            wanted = Trying.model_validate({"filter": parsed(text)})
            values["result"] = dry_run_shown(await self._trials.dry_run(endpoint["id"], wanted, visit.caller))
        except Exception as error:
            values["refusal"] = refusal(correctable(error), visit.words)
        status = 200 if values["refusal"] is None else values["refusal"].status
        return render.page(visit, "dry_run.html", status, here=HERE, **values)

    def _changing(self, change: Change, done: str) -> Callable[[Visit], Awaitable[Response]]:
        async def serve(visit: Visit) -> Response:
            await change(visit.path("id"), visit.caller, await visit.key())
            return render.redirect(f"/endpoints/{visit.path('id')}", done=done)

        return serve

    def _form(self, visit: Visit, values: dict[str, str], problem: Problem | None) -> Response:
        said, status = _said(visit, problem)
        values = dict.fromkeys(typed(visit), "") | values
        return render.page(
            visit, "new.html", status, here=HERE, values=values, refusal=said, names=EVENT_NAMES, kinds=get_args(Kind)
        )

    async def _page(
        self, visit: Visit, endpoint: dict[str, Any], values: dict[str, str], problem: Problem | None
    ) -> Response:
        said, status = _said(visit, problem)
        once = visit.asked("once")
        secret = await self._once.take(once, visit.caller.subject) if once else None
        changes = audit_shown(await self._desk.audit(endpoint["id"], CHANGES_SHOWN, visit.caller))["lines"]
        more = {"refusal": said, "names": EVENT_NAMES, "changes": changes, "secret": secret, "once": bool(once)}
        return render.page(visit, "endpoint.html", status, here=HERE, endpoint=endpoint, values=values, **more)

    async def _issued(self, visit: Visit, issued: Issued, done: str) -> Response:
        shown = {"once": await self._once.leave(issued.shown, visit.caller.subject)} if issued.shown else {}
        return render.redirect(f"/endpoints/{issued.outcome.resource_id}", done=done, **shown)

    async def _shown(self, visit: Visit) -> dict[str, Any]:
        return endpoint_shown(await self._desk.show(visit.path("id"), visit.caller))


def _settled_once(visit: Visit) -> dict[str, str]:
    """What an endpoint is made with and keeps; a chat's deliveries are not signed."""
    kind = visit.said("kind") or "webhook"
    if kind == "webhook":
        return {"kind": kind, "signature": visit.said("signature")}
    return {"kind": kind, "language": visit.said("language")}


def _changes(visit: Visit, endpoint: dict[str, Any]) -> dict[str, Any]:
    """What was typed otherwise. A URL that stands as it is shown stays: a chat's is shown without its secret part."""
    wanted = wish(visit)
    return {name: value for name, value in wanted.items() if name != "url" or value != endpoint["url"]}


def _said(visit: Visit, problem: Problem | None) -> tuple[Refusal | None, int]:
    return (None, 200) if problem is None else (refusal(problem, visit.words), problem.status)
