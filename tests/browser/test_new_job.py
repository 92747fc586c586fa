"""The form of a new job: what it offers, what it refuses beside the field, and what it makes."""

import os
import re
import shlex
import subprocess
import sys
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import MakeOne, Visit
from tests.real.backend import Backend

DATASET = "cats-dogs-classes"


@pytest.fixture
def form(page: Page) -> Page:
    page.goto(f"/new?dataset={DATASET}")
    page.get_by_role("radio", name="Probe", exact=True).check()
    expect(page.get_by_role("radio", name="Cats and dogs", exact=False).first).to_be_visible()
    return page


def newest(backend: Backend) -> dict[str, Any]:
    return dict(backend.ask("GET", "/v1/jobs", params={"limit": 1})["items"][0])


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_sent(form: Page, shared: Backend) -> None:
    before = shared.ask("GET", "/v1/jobs")["total"]
    epochs = form.get_by_role("textbox", name="epochs")
    epochs.fill("x")
    epochs.press("Enter")
    expect(epochs).to_be_focused()
    expect(epochs).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_text("Give a whole number.")).to_be_visible()
    expect(form.get_by_text("One field needs a look.")).to_be_visible()
    epochs.fill("0")
    expect(form.get_by_text("Give a whole number.")).to_have_count(0)
    epochs.press("Enter")
    expect(epochs).to_have_attribute("aria-invalid", "true")
    assert shared.ask("GET", "/v1/jobs")["total"] == before


def test_a_changed_value_is_marked_and_taken_back(form: Page) -> None:
    rate = form.get_by_role("textbox", name="learning_rate")
    rate.fill("0.25")
    mark = form.get_by_role("button", name="Modified: reset learning_rate to 0.1")
    expect(form.get_by_test_id("command")).to_contain_text("--set learning_rate=0.25")
    mark.click()
    expect(rate).to_have_value("0.1")
    expect(mark).to_have_count(0)
    expect(form.get_by_test_id("command")).not_to_contain_text("learning_rate")


def test_a_double_click_makes_one_job(form: Page, shared: Backend) -> None:
    before = shared.ask("GET", "/v1/jobs")["total"]
    form.get_by_role("textbox", name="epochs").fill("1")
    form.get_by_role("button", name="Start training").dblclick()
    form.wait_for_url("**/jobs/*")
    assert shared.ask("GET", "/v1/jobs")["total"] == before + 1
    assert newest(shared)["params"]["epochs"] == 1


def test_the_command_to_copy_makes_the_same_job(form: Page, shared: Backend) -> None:
    form.get_by_role("textbox", name="epochs").fill("2")
    form.get_by_role("textbox", name="learning_rate").fill("0.5")
    form.get_by_text("Name, tags, notes, priority").click()
    form.get_by_role("textbox", name="Name").fill('it\'s $HOME "quoted"')
    form.get_by_role("textbox", name="Tags").fill("one, two words")
    expect(form.get_by_test_id("command")).to_contain_text("two words")
    words = shlex.split(form.get_by_test_id("command").inner_text().replace("\\\n", " "))
    form.get_by_role("button", name="Start training").click()
    form.wait_for_url("**/jobs/*")
    by_page = newest(shared)
    argv = [sys.executable, "-P", "-m", "trainyard.cli.main", *words[1:]]
    env = os.environ | shared.env
    done = subprocess.run(argv, env=env, cwd=shared.folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    by_hand = newest(shared)
    assert by_hand["id"] != by_page["id"]
    for one in ("name", "tags", "params", "framework", "model", "task", "dataset_id", "execution", "priority"):
        assert by_hand[one] == by_page[one], one


def test_a_clone_begins_with_what_its_origin_had(page: Page, shared: Backend) -> None:
    origin = shared.submit(params={"epochs": 4, "learning_rate": 0.7}, name="origin", tags=["a-tag"])
    shared.wait_closed(origin)
    page.goto(f"/jobs/{origin}")
    page.get_by_role("link", name="Clone & edit").click()
    expect(page.get_by_role("heading", name="Clone & edit")).to_be_visible()
    expect(page.get_by_role("textbox", name="epochs")).to_have_value("4")
    expect(page.get_by_role("textbox", name="learning_rate")).to_have_value("0.7")
    page.get_by_role("textbox", name="epochs").fill("1")
    expect(page.get_by_role("button", name="Modified: reset epochs to 4")).to_be_visible()
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/jobs/*")
    made = shared.job(page.url.rsplit("/", 1)[-1])
    assert (made["params"]["epochs"], made["params"]["learning_rate"]) == (1, 0.7)


def test_a_dataset_for_another_task_is_greyed_with_the_reason(page: Page, shared: Backend) -> None:
    shared.ask("POST", "/v1/samples/cats-dogs")
    page.goto("/new")
    page.get_by_role("radio", name="scikit-learn", exact=True).check()
    boxes = page.get_by_role("radio", name="Cats and dogs (boxes)")
    expect(boxes).to_be_disabled()
    expect(boxes).to_have_accessible_description(re.compile("For detection"))


def test_the_last_values_are_there_again(visit: Visit, shared: Backend) -> None:
    visitor = visit(shared)
    page = visitor.page
    page.goto(f"/new?dataset={DATASET}")
    page.get_by_role("radio", name="Probe", exact=True).check()
    page.get_by_role("textbox", name="batch_size").fill("7")
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/jobs/*")
    page.goto("/new")
    page.get_by_role("radio", name="Probe", exact=True).check()
    expect(page.get_by_role("textbox", name="batch_size")).to_have_value("7")
    page.get_by_role("button", name="Start from its defaults").click()
    expect(page.get_by_role("textbox", name="batch_size")).to_have_value("16")


def test_without_any_dataset_a_sample_is_one_click_away(visit: Visit, make_one: MakeOne) -> None:
    page = visit(make_one().start()).page
    page.goto("/new")
    page.get_by_role("radio", name="Probe", exact=True).check()
    page.get_by_role("radio", name="Detection", exact=True).check()
    page.get_by_role("button", name="Load: Cats and dogs (boxes)").click()
    expect(page.get_by_role("radio", name="Cats and dogs (boxes)")).to_be_checked()
