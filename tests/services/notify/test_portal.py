"""The portal without a browser's help: who gets in, forms that only its own pages can send, and words for every no."""

import asyncio
import re
import uuid
from html import unescape
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import get_args

import httpx
import pytest
from aiohttp import web
from markupsafe import escape

from services.notify.domain import EndpointState
from services.notify.dry_run import WhyNot
from services.notify.outcome import DeliveryState, Failure
from services.notify.portal import delivery_pages
from services.notify.portal.languages import WORDS
from services.notify.portal.pages import COOKIE
from services.notify.portal.words import GROUPS
from shared.web.languages import Language
from shared.web.sessions import SESSION_S
from shared.web.tokens import ensure_keys, issue_link
from tests.services.notify.portal_visitor import BASE, Visitor, forms_of, link_of, visiting
from tests.services.notify.receiver import Delivered, receiving
from tests.services.notify.world import World

HTML = {"Accept": "text/html"}
URL = "https://8.8.8.8/hook"
HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'{{7*7}}"


async def create(visitor: Visitor, **typed: str) -> str:
    """An endpoint made by the form; its id."""
    await visitor.look("/portal/endpoints/new")
    await visitor.press("endpoints", url=URL, event_types="member-joined session-*", **typed)
    return visitor.place.rpartition("/")[2]


def guest(notify: httpx.AsyncClient, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=notify._transport, base_url=BASE, headers=HTML | headers)


async def test_a_link_opens_the_portal_once_and_for_its_subject_alone(notify: httpx.AsyncClient, world: World) -> None:
    link = link_of(world, "alice")
    async with guest(notify) as first, guest(notify) as second:
        entered = await first.get(link)
        sent = SimpleCookie(entered.headers["set-cookie"])[COOKIE]
        assert (sent["httponly"], sent["samesite"].lower(), sent["path"]) == (True, "strict", "/portal")
        assert int(sent["max-age"]) == SESSION_S
        assert (await first.get("/portal/endpoints")).status_code == 200
        assert (await first.get("/v1/endpoints")).status_code == 401, "the API takes no cookie"
        again = await second.get(link)
        assert again.status_code == 410
        assert "kairan link notify" in again.text
        assert "もう使われました" in again.text
        for foreign in (issue_link(ensure_keys(world.folder)), "x", ""):
            refused = await second.get("/portal/enter", params={"code": foreign})
            assert refused.status_code == 403, "a link to the page of metrics opens no portal"
        outside = await second.get("/portal/endpoints", headers={"Accept-Language": "ja"})
        assert outside.status_code == 401
        assert "入口のリンクが必要です" in outside.text
        problem = await second.get("/portal/endpoints", headers={"Accept": "application/json"})
        assert problem.headers["content-type"] == "application/problem+json"


async def test_who_leaves_is_out(notify: httpx.AsyncClient, world: World) -> None:
    async with visiting(notify, world, "alice") as visitor:
        value = visitor.http.cookies[COOKIE]
        await visitor.look("/portal/endpoints")
        await visitor.press("leave", 401)
        visitor.http.cookies.set(COOKIE, value, domain="notify", path="/portal")
        await visitor.look("/portal/endpoints", 401)


@pytest.mark.parametrize("language", get_args(Language))
async def test_an_endpoint_lives_by_forms_alone(notify: httpx.AsyncClient, world: World, language: Language) -> None:
    words = WORDS[language]
    owner = f"owner-{uuid.uuid4().hex[:8]}"
    async with visiting(notify, world, owner, language) as visitor:
        assert words.texts["no_endpoints"] in await visitor.look("/portal/endpoints")
        await visitor.look("/portal/endpoints/new")
        refused = await visitor.press("endpoints", 422, url="https://10.0.0.1/", event_types="member-joined")
        assert words.refusals["forbidden-url"] in refused
        assert words.stages["parse"] in refused
        assert forms_of(refused)["endpoints"].fields["url"] == "https://10.0.0.1/", "what was typed is still there"
        lost = await visitor.press("endpoints", 422, url=URL, event_types="member-lost")
        assert words.refusals["unknown-event-type"] in lost
        wrong = await visitor.press("endpoints", 422, url=URL, event_types="*", in_flight="many", filter="{")
        assert words.faults["in_flight"] in wrong
        assert words.faults["filter"] in wrong
        for ambiguous in ('{"path": "a", "equals": 1, "equals": 2}', '{"path": "a", "equals": NaN}', "[" * 5_000):
            refused = await visitor.press("endpoints", 422, url=URL, event_types="*", filter=ambiguous)
            assert words.faults["filter"] in refused
        huge = f'{{"path": "a", "equals": {"9" * 400}}}'
        refused = await visitor.press("endpoints", 422, url=URL, event_types="*", in_flight="", filter=huge)
        assert words.refusals["bad-filter"] in refused

        form = forms_of(wrong)["endpoints"]
        form.fields |= {"url": URL, "event_types": "session-*", "in_flight": "", "filter": "", "description": "机"}
        made = [await visitor.http.post(form.action, data=form.fields) for _ in range(2)]
        assert [one.status_code for one in made] == [303, 303]
        [place] = {one.headers["location"].partition("?")[0] for one in made}
        page = await visitor.look(made[0].headers["location"])
        [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", page)
        assert words.done["created"] in page
        gone = await visitor.look(made[0].headers["location"])
        assert secret not in gone
        assert words.texts["secret_gone"] in gone
        assert secret not in await visitor.look(place)

        assert words.states["paused"] in await visitor.press("pause")
        assert words.states["active"] in await visitor.press("resume")
        saved = await visitor.press(place.rpartition("/")[2], per_minute="60", description="机の上", ordered="yes")
        assert words.done["saved"] in saved
        shown = await notify.get(
            f"/v1{place.removeprefix('/portal')}", headers=world.caller("endpoints:admin", "endpoints:read")
        )
        assert shown.json() | {"per_minute": 60, "description": "机の上", "ordered": True} == shown.json()
        assert shown.json()["owner"] == owner
        assert words.done["deleted"] in await visitor.press("delete")
        await visitor.look(place, 404)
        assert words.refusals["no-such-endpoint"] in visitor.page.text  # type: ignore[union-attr]


async def test_a_form_counts_only_with_the_proof_of_its_own_session(notify: httpx.AsyncClient, world: World) -> None:
    async with visiting(notify, world, "alice") as visitor, visiting(notify, world, "alice") as other:
        endpoint = await create(visitor)
        place = f"/portal/endpoints/{endpoint}"
        form = forms_of(await visitor.look(place))["pause"]
        foreign = forms_of(await other.look(place))["pause"].fields["proof"]
        for fields, headers in (
            ({**form.fields, "proof": ""}, {}),
            ({"key": form.fields["key"]}, {}),
            ({**form.fields, "proof": foreign}, {}),
            (form.fields, {"Sec-Fetch-Site": "cross-site"}),
        ):
            refused = await visitor.http.post(form.action, data=fields, headers=headers)
            assert refused.status_code == 403
            assert WORDS["en"].refusals["forged"] in refused.text
        plain = await visitor.http.post(form.action, content=b"{}", headers={"Content-Type": "text/plain"})
        assert plain.status_code == 415
        assert WORDS["en"].states["paused"] not in await visitor.look(place), "none of them did anything"
        bearer = world.caller("endpoints:read", "endpoints:write", subject="alice")
        async with guest(notify, **bearer) as program:
            done = await program.post(form.action, data={"key": str(uuid.uuid4())})
            assert done.status_code == 303, "a token does not go along by itself, so it needs no proof"
        assert WORDS["en"].states["paused"] in await visitor.look(place)
        reader = world.caller("endpoints:read", subject="alice")
        async with guest(notify, **reader) as program:
            assert (await program.get(place)).status_code == 200
            assert (await program.post(f"{place}/resume", data={"key": ""})).status_code == 403


async def test_an_owner_sees_the_own_endpoints_and_the_operator_all(notify: httpx.AsyncClient, world: World) -> None:
    async with (
        visiting(notify, world, "alice") as alice,
        visiting(notify, world, "bob") as bob,
        visiting(notify, world, "operator") as operator,
    ):
        endpoint = await create(alice, description="only-of-alice")
        assert "only-of-alice" not in await bob.look("/portal/endpoints")
        await bob.look(f"/portal/endpoints/{endpoint}", 404)
        assert "only-of-alice" in await operator.look("/portal/endpoints")
        await operator.look(f"/portal/endpoints/{endpoint}")
        await operator.press("pause")


async def test_what_strangers_wrote_stays_text(notify: httpx.AsyncClient, world: World) -> None:
    async with visiting(notify, world, "mallory") as visitor:
        endpoint = await create(visitor, description=HOSTILE)
        await visitor.look(f"/portal/endpoints/{endpoint}")
        await visitor.press(endpoint, url=f"{URL}?{HOSTILE}".replace(" ", "%20"))
        for place in ("/portal/endpoints", f"/portal/endpoints/{endpoint}", f"/portal/endpoints/{endpoint}/dry-run"):
            assert str(escape(HOSTILE)).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in await visitor.look(
                place
            )
            assert_inert(visitor)
        await visitor.look(f"/portal/endpoints/{endpoint}/dry-run?filter={HOSTILE}", 422)
        assert_inert(visitor)
        await visitor.look(f"/portal/endpoints/{HOSTILE.replace('/', '')}", 404)
        assert_inert(visitor)
        await visitor.look(f"/portal/endpoints/{endpoint}?lang={HOSTILE}&done={HOSTILE}&once={HOSTILE}")
        assert_inert(visitor)


def assert_inert(visitor: Visitor) -> None:
    """No script, no style and no handler in the page, and nobody else's files."""
    assert visitor.page is not None
    page = Page()
    page.feed(visitor.page.text)
    assert "main" in page.tags
    assert not page.tags & {"script", "style", "iframe", "object", "base"}
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    led = {value for name, value in page.attributes if name in ("src", "href", "action")}
    assert all(one.startswith("/portal") for one in led - {"#main"}), led
    policy = visitor.page.headers["content-security-policy"]
    assert "default-src 'none'; style-src 'self'; script-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}


async def test_deliveries_are_searched_read_and_sent_again(
    notify: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = WORDS["en"]
    owner = f"owner-{uuid.uuid4().hex[:8]}"
    broken = True

    async def answer(_: Delivered) -> web.Response:
        return web.Response(status=500 if broken else 204, text=HOSTILE if broken else None)

    async with visiting(notify, world, owner) as visitor, receiving(answer) as receiver:
        await visitor.look("/portal/endpoints/new")
        await visitor.press("endpoints", url=receiver.url, event_types="session-*")
        endpoint = visitor.place
        page = await sent_by_hand(visitor, endpoint, words.delivery_states["exhausted"])
        delivery = visitor.place
        assert page.count(words.labels["answer"] + " ") >= 3
        assert escape(HOSTILE) in page
        assert "specversion" in page
        assert_inert(visitor)
        broken = False
        await sent_by_hand(visitor, endpoint, words.delivery_states["delivered"])
        newer = visitor.place

        monkeypatch.setattr(delivery_pages, "ON_A_PAGE", 1)
        log = f"/portal/deliveries?endpoint={endpoint.rpartition('/')[2]}"
        newest = await visitor.look(f"{log}&from=2020-01-01T00:00&to=2199-01-01T00:00&event_type=")
        assert deliveries_on(newest) == {newer}
        [older] = re.findall(r'rel="next" href="([^"]+)"', newest)
        assert deliveries_on(await visitor.look(unescape(older))) == {delivery}
        assert deliveries_on(await visitor.look(f"{log}&state=exhausted&status=5xx&error=status")) == {delivery}
        assert words.texts["no_deliveries"] in await visitor.look(f"{log}&to=2020-01-01T00:00")
        wrong = await visitor.look("/portal/deliveries?status=many&from=soon&event_type=%22%3E", 422)
        assert all(words.faults[name] in wrong for name in ("status", "from", "event_type"))

        await visitor.look(delivery)
        assert visitor.page is not None
        [again] = re.findall(r'href="([^"]+/replay\?[^"]+)"', visitor.page.text)
        assert words.texts["replay_count"].format(n=1) in await visitor.look(unescape(again))
        before = len(receiver.received)
        assert words.done["replayed"] in await visitor.press("replay")
        await shows(visitor, visitor.place, words.replay_states["done"])
        received = await receiver.until(lambda found: len(found) > before)
        assert received[-1].id == delivery.rpartition("/")[2]
        await shows(visitor, delivery, words.delivery_states["delivered"])
        chosen = await visitor.look(
            f"{endpoint}/replay?preview=1&state=delivered&from=2020-01-01T00:00&since_sequence=1"
        )
        assert words.texts["replay_count"].format(n=2) in chosen
        lost = await visitor.look(f"{endpoint}/replay?preview=1&source=history&since_sequence=x", 422)
        assert words.faults["from"] in lost
        async with visiting(notify, world, "bob") as bob:
            assert words.texts["no_deliveries"] in await bob.look("/portal/deliveries")
            await bob.look(delivery, 404)
            await bob.look(f"{endpoint}/replay", 404)


async def test_a_secret_is_made_anew_and_shown_once(notify: httpx.AsyncClient, world: World) -> None:
    words = WORDS["ja"]
    async with visiting(notify, world, "alice", "ja") as visitor:
        endpoint = await create(visitor, signature="v1a")
        assert visitor.page is not None
        assert "whpk_" in visitor.page.text
        assert "whsk_" not in visitor.page.text
        shared = await create(visitor)
        assert visitor.page is not None
        [first] = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", visitor.page.text))
        rotated = await visitor.press("rotate", overlap_s="0")
        [second] = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", rotated))
        assert first != second
        assert words.done["rotated"] in rotated
        page = await visitor.look(f"/portal/endpoints/{shared}")
        assert "whsec_" not in page
        assert words.operations["rotate"] in page
        assert "whpk_" in await visitor.look(f"/portal/endpoints/{endpoint}"), "a public key is no secret"


async def sent_by_hand(visitor: Visitor, endpoint: str, words: str) -> str:
    """A test event is sent by its button; the page of its delivery, once it says so."""
    await visitor.look(endpoint)
    await visitor.press("test")
    await shows(visitor, visitor.place, words)
    assert visitor.page is not None
    return visitor.page.text


def deliveries_on(page: str) -> set[str]:
    return set(re.findall(r"/portal/deliveries/[\w-]+", page))


async def test_a_chat_keeps_its_address_when_something_else_is_changed(notify: httpx.AsyncClient, world: World) -> None:
    async with visiting(notify, world, "alice") as visitor:
        await visitor.look("/portal/endpoints/new")
        await visitor.press("endpoints", url=f"{URL}/token-of-the-chat", event_types="milestone-reached", kind="slack")
        assert visitor.page is not None
        assert "whsec_" not in visitor.page.text
        assert "token-of-the-chat" not in visitor.page.text
        endpoint = visitor.place.rpartition("/")[2]
        before = await world.store.collection("endpoints").find_one({"_id": endpoint})
        saved = await visitor.press(endpoint, description="chat")
        assert WORDS["en"].done["saved"] in saved
        after = await world.store.collection("endpoints").find_one({"_id": endpoint})
        assert before is not None
        assert after is not None
        assert {name for name in after if after[name] != before.get(name)} - {"stamp", "version"} == {"description"}


async def shows(visitor: Visitor, place: str, words: str) -> None:
    """Looks at the page until it says so."""
    async with asyncio.timeout(90):
        while words not in await visitor.look(place):  # noqa: ASYNC110  a page rings no bell
            await asyncio.sleep(0.05)


async def test_a_language_once_chosen_stays(notify: httpx.AsyncClient, world: World) -> None:
    async with visiting(notify, world, "alice", "en") as visitor:
        assert '<html lang="en">' in await visitor.look("/portal/guide")
        assert '<html lang="ja">' in await visitor.look("/portal/guide?lang=ja")
        assert '<html lang="ja">' in await visitor.look("/portal/endpoints")


def test_both_languages_have_a_word_for_everything() -> None:
    ja, en = WORDS["ja"], WORDS["en"]
    for group in GROUPS:
        assert getattr(ja, group).keys() == getattr(en, group).keys(), group
        for name in getattr(ja, group):
            places = [sorted(re.findall(r"{\w+}", getattr(words, group)[name])) for words in (ja, en)]
            assert places[0] == places[1], (group, name)
    assert en.states.keys() >= set(get_args(EndpointState))
    assert en.delivery_states.keys() >= set(get_args(DeliveryState))
    assert en.failures.keys() == {one.value for one in Failure}
    assert en.why_not.keys() == set(get_args(WhyNot))
