"""The page in a real browser: entered by a link, told in two languages, live without a reload, quiet in the console."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright, expect

from kairan.stack.tansu import Tansu
from shared.settings import Address
from tests.conftest import Missing, started
from tests.services.metrics.conftest import metrics_on
from tests.services.metrics.facts import held, joined, published, time_passed, year_of_joins
from tests.services.metrics.replicas import ON_APACHE, Metrics, Replica, ledger, until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
START = datetime(2021, 11, 1, 15, tzinfo=UTC)
END = START + timedelta(days=150)
expect.set_options(timeout=60_000)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def guest(
    browser: Browser, metrics: Metrics, replica: Replica, **context: Any
) -> AsyncIterator[tuple[Page, list[str]]]:
    """A reader on the open page, and everything that the browser complained about or asked another host for."""
    complaints: list[str] = []
    opened: BrowserContext = await browser.new_context(**context)
    page = await opened.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(replica.url) else complaints.append(asked.url))
    await page.goto(replica.url + metrics.link())
    yield page, complaints
    await opened.close()


@pytest.fixture(scope="module")
async def season(
    mongo_uri: str, tmp_path_factory: pytest.TempPathFactory, missing: Missing
) -> AsyncIterator[tuple[Metrics, Replica]]:
    """Five months with a magazine that brought many and a session that brought nobody, for who only looks."""
    if missing.tansu:
        pytest.skip(missing.tansu)
    folder = tmp_path_factory.mktemp("season")
    async with (
        started(Tansu(folder / "kafka", folder / "log")) as kafka,
        metrics_on(mongo_uri, kafka, folder) as metrics,
    ):
        replica = await metrics.replica(clock="stream")
        await a_season(metrics, replica)
        yield metrics, replica


async def a_season(metrics: Metrics, replica: Replica) -> None:
    at = START + timedelta(days=90, hours=1)
    joins = [
        *year_of_joins(3, 150, 7, START),
        *(joined(at + timedelta(hours=hour % 60, minutes=5)) for hour in range(70)),
    ]
    await metrics.send([*joins, published("issue", at, title="Spring"), held("s", at - timedelta(days=30))])
    await metrics.send([time_passed(END)])
    await until(lambda: ledger(replica), lambda said: said["joins"] == len(joins) and len(said["publications"]) == 2)


async def test_a_guest_reads_the_page_in_both_languages(season: tuple[Metrics, Replica], browser: Browser) -> None:
    async with guest(browser, *season, locale="en-GB") as (page, complaints):
        await expect(page.locator("#today")).to_contain_text("As of 31 March 2022, ")
        await expect(page.locator("table.ledger tbody tr")).to_have_count(2)
        await expect(page.locator("tr.v-clear .extra")).to_contain_text("extra joins (")
        await expect(page.locator("svg.chart .marks > g")).to_have_count(2)
        await expect(page.locator("#state")).to_have_text("Updating live")
        await page.get_by_role("link", name="日本語").click()
        await expect(page.locator("html")).to_have_attribute("lang", "ja")
        await expect(page.locator("#today")).to_contain_text("2022年3月31日現在")
        await expect(page.locator("#state")).to_have_text("自動更新中")
        assert complaints == []


async def test_a_join_shows_on_the_open_page_without_a_reload(metrics: Metrics, browser: Browser) -> None:
    replica = await metrics.replica(clock="stream")
    await metrics.send([joined(END - timedelta(hours=3)), time_passed(END)])
    await until(lambda: ledger(replica), lambda said: said["joins"] == 1)
    async with guest(browser, metrics, replica, locale="en-GB") as (page, complaints):
        await expect(page.locator("#today")).to_contain_text("1 person joined today")
        await page.evaluate("window.untouched = true")
        await metrics.send([joined(END - timedelta(hours=2))])
        await expect(page.locator("#today")).to_contain_text("2 people joined today")
        assert await page.evaluate("window.untouched")
        assert complaints == []


@ON_APACHE
async def test_an_open_page_goes_on_with_another_replica(metrics: Metrics, browser: Browser) -> None:
    one = await metrics.replica(clock="stream")
    shared = one.service.settings.bind
    await metrics.send([joined(END - timedelta(hours=3)), time_passed(END)])
    await until(lambda: ledger(one), lambda said: said["joins"] == 1)
    async with guest(browser, metrics, one, locale="en-GB") as (page, _):
        await expect(page.locator("#state")).to_have_text("Updating live")
        two = await metrics.replica(clock="stream", bind=Address(shared.host, int(one.url.rpartition(":")[2])))
        await one.stop()
        metrics.replicas.remove(one)
        await metrics.send([joined(END - timedelta(hours=2)) for _ in range(40)])
        await until(lambda: ledger(two), lambda said: said["joins"] > 1)  # those of its own partitions come soon
        await expect(page.locator("#today")).to_contain_text("people joined today")
        await expect(page.locator("#state")).to_have_text("Updating live")


async def test_an_open_page_comes_back_when_the_line_was_refused(metrics: Metrics, browser: Browser) -> None:
    replica = await metrics.replica(clock="stream")
    await metrics.send([joined(END - timedelta(hours=3)), time_passed(END)])
    await until(lambda: ledger(replica), lambda said: said["joins"] == 1)
    context = await browser.new_context(locale="en-GB")
    page = await context.new_page()
    refusals, seen = 0, False

    async def refuse_until_seen(route: Route) -> None:
        nonlocal refusals
        if seen and refusals >= 2:
            await route.continue_()
        else:
            refusals += 1
            await route.fulfill(status=503)

    await page.route("**/v1/stream**", refuse_until_seen)
    await page.goto(replica.url + metrics.link())
    await expect(page.locator("#state")).to_have_text("Connection lost, reconnecting")
    seen = True
    await expect(page.locator("#state")).to_have_text("Updating live")
    assert refusals >= 2
    await context.close()


async def test_a_narrow_screen_never_scrolls_sideways(season: tuple[Metrics, Replica], browser: Browser) -> None:
    narrow = {"viewport": {"width": 360, "height": 700}, "color_scheme": "dark", "locale": "ja-JP"}
    async with guest(browser, *season, **narrow) as (page, complaints):
        await expect(page.locator("table.ledger")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert complaints == []


async def test_without_a_link_the_browser_is_told_how_to_get_one(metrics: Metrics, browser: Browser) -> None:
    replica = await metrics.replica()
    page = await browser.new_page(locale="ja-JP")
    answer = await page.goto(replica.url)
    assert answer is not None
    assert answer.status == 401
    await expect(page.get_by_role("heading", level=1)).to_have_text("入口のリンクが必要です")
    await page.close()
