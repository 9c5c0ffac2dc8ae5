"""Who gets in: a bearer, or a browser that came by a one-time link; everybody else is told how."""

from http.cookies import SimpleCookie

import httpx

from shared.web.auth import COOKIE
from shared.web.sessions import SESSION_S
from shared.web.tokens import issue
from tests.services.metrics.replicas import PATIENCE_S, Metrics, Replica

HTML = {"Accept": "text/html"}
READS = ("/v1/joins", "/v1/members", "/v1/publications", "/v1/ledger", "/v1/streams", "/v1/audit", "/v1/accounting")
READS += ("/v1/ledger/p/history", "/v1/stream", "/", "/fragment")


def browser(replica: Replica) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=replica.url, headers=HTML, timeout=PATIENCE_S)


async def test_a_one_time_link_opens_the_page_once_and_on_every_replica(metrics: Metrics) -> None:
    one, two = await metrics.replica(), await metrics.replica()
    link = metrics.link()
    async with browser(one) as guest:
        entered = await guest.get(link)
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        assert (await guest.get("/")).status_code == 200
        cookie = {COOKIE: guest.cookies[COOKIE]}
    async with httpx.AsyncClient(base_url=two.url, headers=HTML, cookies=cookie, timeout=PATIENCE_S) as same_guest:
        assert (await same_guest.get("/")).status_code == 200
        assert (await same_guest.get("/v1/publications")).status_code == 200
    async with browser(two) as late:
        refused = await late.get(link)
        assert refused.status_code == 410
        assert "kairan link" in refused.text
        assert "もう使われました" in refused.text
        assert "already used" in refused.text
        assert COOKIE not in late.cookies


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(metrics: Metrics) -> None:
    replica = await metrics.replica()
    async with browser(replica) as guest:
        sent = SimpleCookie((await guest.get(metrics.link())).headers["set-cookie"])[COOKIE]
    assert (sent["httponly"], sent["samesite"].lower(), sent["path"]) == (True, "strict", "/")
    assert int(sent["max-age"]) == SESSION_S
    stored = [row async for row in metrics.store.collection("browser_sessions").find()]
    assert sent.value not in str(stored)


async def test_a_link_that_is_late_or_not_ours_is_refused_in_words(metrics: Metrics) -> None:
    replica = await metrics.replica()
    token = issue(metrics.key, "somebody", ["growth:read"])
    async with browser(replica) as guest:
        for link in (metrics.link(expires_in_s=-5), f"/enter?code={token}", "/enter?code=x", "/enter"):
            refused = await guest.get(link)
            assert refused.status_code == 403
            assert "kairan link" in refused.text


async def test_without_credentials_a_browser_sees_words_and_a_program_a_problem(metrics: Metrics) -> None:
    replica = await metrics.replica()
    async with httpx.AsyncClient(base_url=replica.url, timeout=PATIENCE_S) as nobody:
        for path in READS:
            refused = await nobody.get(path)
            assert refused.status_code == 401, path
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.headers["www-authenticate"].startswith("Bearer")
        page = await nobody.get("/", headers=HTML)
    assert (page.status_code, page.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert "一度だけ使えるリンク" in page.text


async def test_a_token_without_the_scope_is_forbidden(metrics: Metrics) -> None:
    replica = await metrics.replica()
    headers = metrics.bearer("members:write")
    async with httpx.AsyncClient(base_url=replica.url, headers=headers, timeout=PATIENCE_S) as other:
        assert {(await other.get(path)).status_code for path in READS} == {403}


async def test_every_page_allows_only_its_own_files(metrics: Metrics) -> None:
    replica = await metrics.replica()
    for path in ("/", "/fragment", "/enter"):
        policy = (await replica.http.get(path)).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
        assert "unsafe" not in policy
    styles = await replica.http.get("/static/page.css")
    again = await replica.http.get("/static/page.css", headers={"If-None-Match": styles.headers["etag"]})
    assert (styles.status_code, again.status_code) == (200, 304)
    assert (await replica.http.get("/static/../app.py")).status_code == 404
