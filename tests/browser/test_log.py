"""A job's output: colours, bars that stay one line, what comes while one looks, searching in much of it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.real.backend import Backend, wait_for

LINES = 200_000
MOST_ROWS = 250  # in the page at once


def with_log(backend: Backend, text: str, name: str) -> str:
    """An ended job whose log is this."""
    job = backend.submit(epochs=1, name=name)
    backend.wait_closed(job)
    next((backend.folder / "data" / "runs" / job).rglob("output.log")).write_text(text)
    return job


@pytest.fixture(scope="module")
def long(shared: Backend) -> str:
    lines = "".join(f"line {number} of many\n" for number in range(1, LINES + 1))
    return with_log(shared, lines + "needle at the end\n", "many lines")


def test_colours_are_shown_and_a_bar_stays_one_line(page: Page, shared: Backend) -> None:
    text = "\x1b[31mred words\x1b[0m then plain\n" + "".join(f"\r{share}%" for share in range(101)) + "\nlast\n"
    job = with_log(shared, text, "colours")
    page.goto(f"/jobs/{job}?tab=log")
    log = page.get_by_role("log")
    expect(log.locator("[data-line]")).to_have_text(["red words then plain", "100%", "last"])
    red = log.get_by_text("red words")
    assert red.evaluate("it => getComputedStyle(it).color") != log.evaluate("it => getComputedStyle(it).color")


def test_much_of_it_is_searched_and_both_ends_are_one_click_away(page: Page, long: str) -> None:
    page.goto(f"/jobs/{long}?tab=log")
    log = page.get_by_role("log")
    expect(log).to_contain_text("needle at the end")
    page.get_by_role("button", name="To the start").click()
    expect(log.get_by_text("line 1 of many", exact=True)).to_be_visible(timeout=60_000)
    assert log.locator("[data-line]").count() < MOST_ROWS
    page.get_by_role("searchbox", name="Search the log").fill("line 77777 of")
    expect(log.locator("mark")).to_have_text("line 77777 of")
    page.get_by_role("button", name="To the end").click()
    expect(log).to_contain_text("needle at the end")


def test_a_log_is_downloaded_whole(page: Page, shared: Backend, long: str) -> None:
    page.goto(f"/jobs/{long}?tab=log")
    expect(page.get_by_role("log")).to_contain_text("needle at the end")
    with page.expect_download() as told:
        page.get_by_role("button", name="Download").click()
    text = told.value.path().read_text()
    assert text.count("\n") == LINES + 1
    assert text.endswith("needle at the end\n")


def test_what_comes_is_followed_until_somebody_looks_back(page: Page, shared: Backend, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    params = {"gate": str(gate), "epochs": 9_000, "epoch_seconds": 0.05, "mode": "train"}
    job = shared.submit(params=params, name="speaks on")
    page.goto(f"/jobs/{job}?tab=log")
    log = page.get_by_role("log")
    expect(log).to_contain_text("probe starts")
    gate.touch()

    def newest() -> int:
        """Each is in sight for a moment only."""
        return max(map(int, re.findall(r"epoch (\d+) of 9000", log.inner_text())), default=0)

    wait_for("what comes to be in sight", lambda: newest() >= 60)
    page.get_by_role("button", name="To the start").click()
    expect(log.get_by_text("probe starts")).to_be_visible()
    expect(page.get_by_role("button", name="Follow", exact=False)).to_have_attribute("aria-pressed", "false")
    epoch = shared.job(job)["epoch"]
    wait_for("more of it", lambda: shared.job(job)["epoch"] > epoch + 20)
    expect(log.get_by_text("probe starts")).to_be_in_viewport()
    page.keyboard.press(".")
    expect(page.get_by_role("button", name="Following")).to_have_attribute("aria-pressed", "true")
    wait_for("the newest to be in sight", lambda: newest() > epoch + 20)
    shared.ask("POST", f"/v1/jobs/{job}/cancel")
    shared.wait_closed(job)
