"""The receiver's guide as a page: the steps, and a sample in each language."""

from starlette.responses import Response

from services.notify.portal import render
from services.notify.portal.guide.samples import SAMPLES
from services.notify.portal.guide.steps import steps
from services.notify.portal.pages import Pages
from services.notify.portal.visit import Visit


def add_guide(pages: Pages) -> None:
    """Adds it to the portal."""

    async def guide(visit: Visit) -> Response:
        return render.page(visit, "guide.html", here="guide", steps=steps(visit.language), samples=SAMPLES.values())

    pages.shows("/guide", guide)
