"""Stopping what runs: asked for, shown, and really over."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.real.backend import Backend, wait_for

LONG = {"epochs": 5_000, "epoch_seconds": 0.2}


@pytest.fixture
def running(shared: Backend, request: pytest.FixtureRequest) -> Iterator[list[str]]:
    tags = [request.node.name[:60]]
    jobs = [shared.submit(**LONG, name=f"long {letter}", tags=tags) for letter in "ab"]
    for job in jobs:
        shared.wait_state(job, "RUNNING")
    yield jobs
    for job in jobs:
        shared.ask("POST", f"/v1/jobs/{job}/cancel")
        shared.wait_closed(job)


def test_a_job_is_cancelled_after_one_question(page: Page, shared: Backend, running: list[str]) -> None:
    job, other = running
    page.goto(f"/jobs/{job}")
    page.get_by_role("button", name="Cancel").click()
    window = page.get_by_role("dialog", name="Cancel this job?")
    expect(window).to_contain_text("long a")
    window.get_by_role("button", name="Let it run").click()
    expect(window).to_be_hidden()
    assert shared.job(job)["state"] == "RUNNING"
    page.get_by_role("button", name="Cancel").click()
    window.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled by a person")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    assert shared.wait_closed(job)["reason"] == "CancelledByUser"
    wait_for("its processes to end", lambda: not shared.processes_of(job))
    assert shared.job(other)["state"] == "RUNNING"


def test_several_are_cancelled_from_the_list_and_those_that_ended_are_left(
    page: Page, shared: Backend, running: list[str], request: pytest.FixtureRequest
) -> None:
    ended = shared.submit(epochs=1, name="ended before", tags=[request.node.name[:60]])
    shared.wait_closed(ended)
    page.goto(f"/?tag={request.node.name[:60]}")
    page.get_by_role("checkbox", name="Select all").check()
    page.get_by_role("region", name="3 selected").get_by_role("button", name="Cancel").click()
    window = page.get_by_role("dialog", name="Cancel these 2 jobs?")
    expect(window.get_by_role("listitem")).to_have_count(2)
    expect(window).to_contain_text("One more that is selected has ended")
    window.get_by_role("button", name="Cancel 2 jobs").click()
    expect(page.get_by_text("2 jobs were asked to stop.")).to_be_visible()
    for job in running:
        expect(page.locator(f'[data-job="{job}"]')).to_contain_text("Cancelled by a person")
        assert shared.wait_closed(job)["state"] == "CANCELLED"
    assert shared.job(ended)["state"] == "SUCCEEDED"
