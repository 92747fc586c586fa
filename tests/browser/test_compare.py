"""Runs beside each other: their curves, what they differ in, and an address to pass on."""

import pytest
from playwright.sync_api import expect

from tests.browser.looking import charts
from tests.browser.people import Visit
from tests.real.backend import Backend


@pytest.fixture(scope="module")
def runs(shared: Backend) -> list[str]:
    made = [
        shared.submit(
            params={"epochs": epochs, "learning_rate": rate, "epoch_seconds": 0}, name=name, tags=["compared"]
        )
        for name, epochs, rate in (("slow", 6, 0.01), ("quick", 6, 0.5), ("short", 2, 0.5))
    ]
    for job in made:
        shared.wait_closed(job)
    return made


def test_selected_jobs_are_compared_and_only_differences_are_told(
    visit: Visit, shared: Backend, runs: list[str]
) -> None:
    page = visit(shared).page
    page.goto("/?tag=compared&order=asc")
    for name in ("slow", "quick"):
        page.get_by_role("checkbox", name=f"Select {name}").check()
    page.get_by_role("region", name="2 selected").get_by_role("button", name="Compare").click()
    expect(page).to_have_url(f"{shared.url}/compare?jobs={runs[0]},{runs[1]}")
    curves = page.get_by_role("region", name="Curves")
    expect(charts(curves).first).to_be_visible()
    expect(charts(curves).first.locator("xpath=ancestor::figure")).to_contain_text("quick")

    table = page.get_by_role("table").filter(has=page.get_by_role("columnheader", name="slow"))
    rate = table.get_by_role("row", name="learning_rate")
    expect(rate).to_contain_text("0.01")
    expect(rate).to_contain_text("0.5")
    expect(table.get_by_role("rowheader", name="epoch_seconds")).to_have_count(0)
    page.get_by_role("checkbox", name="Differences only").uncheck()
    expect(table.get_by_role("rowheader", name="epoch_seconds")).to_be_visible()

    page.get_by_role("button", name="Base: quick").click()
    expect(table.get_by_role("columnheader", name="quick")).to_contain_text("Base")
    address = page.url
    other = visit(shared).page
    other.goto(address)
    expect(other.get_by_role("button", name="Base: quick")).to_have_attribute("aria-pressed", "true")
    expect(other.get_by_role("checkbox", name="Differences only")).not_to_be_checked()


def test_runs_are_added_and_taken_away_in_its_place(visit: Visit, shared: Backend, runs: list[str]) -> None:
    page = visit(shared).page
    page.goto("/compare")
    expect(page.get_by_role("heading", name="Choose runs to compare")).to_be_visible()
    page.get_by_role("button", name="Add a run").click()
    window = page.get_by_role("dialog", name="Choose runs")
    window.get_by_role("searchbox").fill("tiny")  # their model
    for name in ("short", "slow"):
        window.get_by_role("checkbox", name=name).check()
    expect(window).to_contain_text("2 of at most 10 chosen")
    window.get_by_role("button", name="Done").click()
    bar = page.get_by_role("list", name="Runs")
    expect(bar.get_by_role("listitem")).to_have_count(2)
    bar.get_by_role("button", name="Remove short").click()
    expect(page.get_by_text("One run alone has nothing to be compared with.")).to_be_visible()
    expect(page).to_have_url(f"{shared.url}/compare?jobs={runs[0]}")


def test_a_run_that_is_not_there_is_said_beside_those_that_are(visit: Visit, shared: Backend, runs: list[str]) -> None:
    page = visit(shared).page
    page.goto(f"/compare?jobs={runs[0]},job-20250101-000000-gone,{runs[2]}")
    expect(page.get_by_role("list", name="Runs")).to_contain_text("Not here, or not for you to see")
    expect(page.get_by_role("rowheader", name="learning_rate")).to_be_visible()
