"""The portal in a real browser, in both languages: its whole way without a complaint, and axe finds nothing."""

import importlib.util
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, get_args

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from services.notify.app import build
from services.notify.portal.languages import WORDS
from services.notify.portal.words import Words
from shared.settings import Address
from shared.web.languages import Language
from shared.web.serve import open_sockets, serving
from tests.services.notify.portal_visitor import link_of
from tests.services.notify.world import World

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = importlib.util.find_spec("axe_playwright_python")
PATIENCE_MS, USUAL_MS = 60_000, 5_000
HOSTILE = '"><script>window.pwned=1</script><img src=x onerror=window.pwned=1>'
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium"),
    pytest.mark.skipif(AXE is None, reason="there is no axe: pip install axe-playwright-python"),
]


@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    """A process of the service that a browser can reach."""
    settings = world.settings.model_copy(update={"instance": "notify-portal", "bind": Address("127.0.0.1", 0)})
    async with AsyncExitStack() as exits:
        service = build(settings, world.database)
        sockets = open_sockets(service.settings)
        host, port = sockets.api[0].getsockname()[:2]
        await (await exits.enter_async_context(serving(service, sockets)))
        yield f"http://{host}:{port}"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        expect.set_options(timeout=PATIENCE_MS)
        yield browser
        expect.set_options(timeout=USUAL_MS)
        await browser.close()


async def audited(page: Page) -> None:
    """Fails with what axe finds wrong on the page as it stands."""
    assert AXE is not None
    assert AXE.origin is not None
    await page.evaluate((Path(AXE.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
    found: dict[str, Any] = await page.evaluate("rules => axe.run(document, rules)", RULES)
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == [], page.url
    assert found["passes"]


async def made(page: Page, words: Words, url: str) -> str:
    """A paused endpoint with a hostile description, made by hand; the address of its page."""
    await page.get_by_role("link", name=words.buttons["new"]).click()
    await audited(page)
    await page.get_by_label(words.labels["url"]).fill("https://10.0.0.1/")
    await page.get_by_label(words.labels["event_types"]).fill("session-*")
    await page.get_by_role("button", name=words.buttons["create"]).click()
    await expect(page.get_by_role("alert")).to_contain_text(words.refusals["forbidden-url"])
    await audited(page)
    await page.get_by_label(words.labels["url"]).fill("https://8.8.8.8/hook")
    await page.get_by_label(words.labels["description"]).fill(HOSTILE)
    await page.get_by_role("button", name=words.buttons["create"]).click()
    await expect(page.locator("code.secret")).to_contain_text("whsec_")
    await expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    await audited(page)
    await page.reload()
    await expect(page.locator("code.secret")).to_have_count(0)
    await page.get_by_role("button", name=words.buttons["pause"]).click()
    await expect(page.get_by_role("status")).to_have_text(words.done["paused"])
    return page.url


async def followed(page: Page, words: Words, endpoint: str) -> None:
    """A test event, which waits at the paused endpoint, its delivery, the search, and the preview of a replay."""
    await page.goto(endpoint)
    await page.get_by_role("button", name=words.buttons["test"]).click()
    await expect(page.get_by_role("status")).to_have_text(words.done["tested"])
    await expect(page.locator("main")).to_contain_text(words.delivery_states["waiting"])
    await audited(page)
    await page.get_by_role("link", name=words.buttons["replay_one"]).click()
    await expect(page.locator("main")).to_contain_text(words.texts["preview_heading"])
    await audited(page)
    await page.get_by_role("link", name=words.nav["deliveries"]).click()
    await page.get_by_label(words.labels["state"], exact=True).select_option("waiting")
    await page.get_by_role("button", name=words.buttons["search"]).click()
    await expect(page.locator("table tbody tr")).to_have_count(1)
    await audited(page)


@pytest.mark.parametrize("language", get_args(Language))
async def test_the_whole_way_in_a_browser(world: World, url: str, browser: Browser, language: Language) -> None:
    words = WORDS[language]
    complaints: list[str] = []
    scheme: Any = "dark" if language == "ja" else "light"
    locale = {"ja": "ja-JP", "en": "en-GB"}[language]
    context = await browser.new_context(locale=locale, color_scheme=scheme, viewport={"width": 400, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(url) else complaints.append(asked.url))
    page.on("console", lambda said: complaints.append(said.text) if "Security Policy" in said.text else None)
    await page.goto(url)
    await page.goto(link_of(world, f"browser-{language}", url))
    await expect(page.locator("html")).to_have_attribute("lang", language)
    await audited(page)
    endpoint = await made(page, words, url)
    for place in ("endpoints", "guide"):
        await page.goto(f"{url}/portal/{place}")
        await audited(page)
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), place
    await followed(page, words, endpoint)
    await page.goto(endpoint)
    await page.get_by_role("link", name=words.buttons["try"]).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(words.texts["dry_heading"])
    await audited(page)
    await page.goto(endpoint)
    await page.get_by_text(words.texts["danger"]).click()
    await page.get_by_role("button", name=words.buttons["delete"]).click()
    await expect(page.get_by_role("status")).to_have_text(words.done["deleted"])
    await page.get_by_role("link", name=words.other_language).click()
    await expect(page.locator("html")).to_have_attribute("lang", words.other_lang)
    await page.get_by_role("button", name=WORDS[words.other_lang].nav["leave"]).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(WORDS[words.other_lang].locked_title)
    await audited(page)
    assert not await page.evaluate("window.pwned")
    assert complaints == []
    await context.close()
