"""What a test reads off a page: what axe finds, how wide it is, the points of a chart."""

from functools import cache
from runpy import run_path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.page.frontend import FRONTEND
from tests.real.backend import wait_for

SERIOUS = ("serious", "critical")
FIND = "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"
FITS = """() => [document.scrollingElement, document.getElementById('content')]
  .every((it) => it === null || it.scrollWidth <= it.clientWidth + 1)"""


@cache
def _axe() -> str:
    run_path(str(FRONTEND / "run.py"))["install"]()  # a page that was only built has not what checks it
    return (FRONTEND / "node_modules" / "axe-core" / "axe.min.js").read_text()


def serious(page: Page) -> list[str]:
    """What axe finds that would keep somebody from using the page."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate(FIND)
    return [
        f"{one['id']}: {node['target']} {node['html'][:200]}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


def settled(page: Page) -> None:
    """Nothing is a grey shape any more that is still to come."""
    expect(page.locator("#content .animate-pulse")).to_have_count(0)


def fits(page: Page) -> None:
    """Nothing of it has to be scrolled sideways, as soon as what measures itself has."""
    page.wait_for_function(FITS)


def charts(page: Page | Locator) -> Locator:
    """Each of them takes the keyboard."""
    return page.locator('[role="group"][aria-roledescription]')


def points(page: Page, chart: Locator, last: int) -> dict[int, str]:
    """What stands under the marker of a chart, moved by keyboard from its last step, once it has it, to step 1. Each
    move is waited for: a look that comes before the page has drawn it sees the step before."""
    figure = page.locator("figure").filter(has=chart)
    step, value = figure.locator("figcaption span.ml-auto"), figure.locator("button[aria-pressed] .font-mono").first
    chart.focus()

    def shown() -> int:
        return int(step.inner_text().split()[-1].replace(",", ""))

    def moved_right() -> int:
        page.keyboard.press("ArrowRight")
        return shown()

    wait_for("its last step", lambda: moved_right() == last)
    at, found = last, {last: value.inner_text()}
    while at > 1:
        page.keyboard.press("ArrowLeft")
        at = wait_for(f"the step before {at}", lambda at=at: now if (now := shown()) != at else None)
        found[at] = value.inner_text()
    return found
