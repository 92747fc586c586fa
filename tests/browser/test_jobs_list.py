"""Ten thousand jobs: a list as long as that, narrowed by the address, walked by keyboard, taken away as CSV."""

import csv
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.browser.people import MakeOne, Visitor, visitors
from tests.real.backend import Backend
from tests.real.manyjobs import Many, many_jobs, store
from trainyard.db.engine import Database

COUNT = 10_000
MOST_ROWS = 80  # in the page at once


@pytest.fixture(scope="module")
def many() -> Many:
    return many_jobs(COUNT)


@pytest.fixture(scope="module")
def crowded(make_one: MakeOne, many: Many) -> Backend:
    backend = make_one()
    (backend.folder / "data").mkdir()
    database = Database(f"sqlite:///{backend.folder / 'data' / 'trainyard.db'}")
    store(database, many)
    database.close()
    return backend.start()


@pytest.fixture
def page(browser: Browser, crowded: Backend) -> Any:
    with visitors(browser) as visit:
        visitor: Visitor = visit(crowded)
        yield visitor.page


def table(page: Page) -> Locator:
    return page.get_by_role("table", name="Jobs")


def first_row(page: Page) -> Locator:
    return table(page).locator("[data-job]").first


def row_of(page: Page, job: dict[str, Any]) -> Locator:
    return page.locator(f'[data-job="{job["id"]}"]')


def test_the_end_of_ten_thousand_is_one_jump_away(page: Page, many: Many) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/v1/jobs?" in request.url:
            asked.append(request.url)

    expect(page.get_by_role("heading", name="Jobs").first).to_contain_text("10,000")
    expect(row_of(page, many.jobs[-1])).to_be_visible()
    page.on("request", note)
    table(page).evaluate("it => { it.scrollTop = it.scrollHeight }")
    expect(row_of(page, many.jobs[0])).to_be_in_viewport()
    assert len(asked) <= 2, "what was only flown over was asked for, too"
    assert table(page).locator("[data-job]").count() < MOST_ROWS
    table(page).hover()
    for _ in range(10):
        page.mouse.wheel(0, -20_000)
    expect(first_row(page)).to_be_visible()
    table(page).evaluate("it => { it.scrollTop = 0 }")
    expect(row_of(page, many.jobs[-1])).to_be_in_viewport()


def test_filters_stand_in_the_address_and_survive_a_reload(page: Page, many: Many) -> None:
    wanted = [job for job in many.jobs if job["state"] == "FAILED" and job["framework"] == "timm"]
    page.get_by_role("button", name="State", exact=False).first.click()
    page.get_by_role("menuitemcheckbox", name="Failed").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Trainer").first.click()
    page.get_by_role("menuitemcheckbox", name="timm").click()
    page.keyboard.press("Escape")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text(f"{len(wanted):,}")
    assert "state=FAILED" in page.url
    assert "trainer=timm" in page.url
    page.reload()
    expect(heading).to_contain_text(f"{len(wanted):,}")
    expect(row_of(page, wanted[-1])).to_contain_text("Failed")
    expect(page.get_by_role("button", name="State: 1")).to_be_visible()
    page.go_back()
    failed = sum(job["state"] == "FAILED" for job in many.jobs)
    expect(heading).to_contain_text(f"{failed:,}")
    page.get_by_role("button", name="Clear filters").click()
    expect(heading).to_contain_text(f"{COUNT:,}")
    assert "state=" not in page.url


def test_a_search_that_finds_nothing_says_so_and_is_taken_back(page: Page) -> None:
    expect(first_row(page)).to_be_visible()  # the list is there, which hears the keys
    page.keyboard.press("/")
    page.keyboard.type("nothing is called so")
    expect(page.get_by_role("heading", name="No job matches")).to_be_visible()
    expect(page).to_have_url(re.compile("search=nothing"))
    page.get_by_role("button", name="Clear filters").last.click()
    expect(first_row(page)).to_be_visible()


def test_a_column_sorts_both_ways_and_then_no_more(page: Page, many: Many, crowded: Backend) -> None:
    head = page.get_by_role("columnheader").get_by_role("button", name="Duration")
    for order in ("desc", "asc"):
        head.click()
        [first] = crowded.ask("GET", "/v1/jobs", params={"sort": "duration", "order": order, "limit": 1})["items"]
        expect(first_row(page)).to_have_attribute("data-job", first["id"])
        assert "sort=duration" in page.url
    head.click()
    expect(first_row(page)).to_have_attribute("data-job", many.jobs[-1]["id"])
    assert "sort=" not in page.url


def test_keys_walk_select_and_compare(page: Page, many: Many, crowded: Backend) -> None:
    newest = [job["id"] for job in reversed(many.jobs)]
    expect(row_of(page, many.jobs[-1])).to_be_visible()
    for key in ("j", "j", "x", "j", "j", "k", "x"):
        page.keyboard.press(key)
    expect(page.get_by_role("region", name="2 selected")).to_be_visible()
    page.keyboard.press("c")
    expect(page).to_have_url(f"{crowded.url}/compare?jobs={newest[1]},{newest[2]}")
    expect(page.get_by_role("list", name="Runs").get_by_role("listitem")).to_have_count(2)
    page.go_back()
    expect(row_of(page, many.jobs[-1])).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{crowded.url}/jobs/{newest[0]}")


def test_question_mark_shows_the_keys_and_n_begins_a_job(page: Page) -> None:
    expect(first_row(page)).to_be_visible()
    page.keyboard.press("?")
    window = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(window).to_contain_text("Compare what is selected")
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="New job")).to_be_visible()


def test_what_is_listed_is_taken_away_as_csv(page: Page, many: Many) -> None:
    wanted = {job["id"] for job in many.jobs if job["state"] == "CANCELLED" and "a" in job["tags"]}
    page.goto("/?state=CANCELLED&tag=a")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{len(wanted):,}")
    with page.expect_download() as told:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(told.value.path().read_text("utf-8-sig").splitlines()))
    assert {row["id"] for row in rows} == wanted


def test_a_metric_of_choice_is_shown_and_sorted_by(page: Page, crowded: Backend) -> None:
    page.goto("/?metric=val/loss&best=min&sort=metric&order=asc")
    params = {"sort": "metric", "metric": "val/loss", "best": "min", "order": "asc", "limit": 1}
    [first] = crowded.ask("GET", "/v1/jobs", params=params)["items"]
    expect(first_row(page)).to_have_attribute("data-job", first["id"])
    shown = first_row(page).locator('[title="val/loss"]').inner_text()
    assert abs(float(shown) - first["metrics"]["val/loss"]["min"]) < 1e-3
