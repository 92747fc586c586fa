"""What a role may not do is not offered, and refused all the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Visit
from tests.real.backend import Backend
from tests.real.zips import folders, write_zip

PASSWORD = "a long password"
ASK = """async ([method, path]) => {
  const answer = await fetch(path, { method, headers: { 'Content-Type': 'application/json' } });
  return [answer.status, await answer.json()];
}"""


@pytest.fixture(scope="module")
def running(shared: Backend) -> Iterator[str]:
    for name, role in (("viewer", "viewer"), ("member", "member")):
        shared.ask("POST", "/v1/users", json={"name": name, "password": PASSWORD})
        shared.ask("PUT", f"/v1/projects/default/members/{name}", json={"role": role})
    job = shared.submit("keep", epochs=5_000, epoch_seconds=0.2, name="runs on")
    shared.wait_state(job, "RUNNING")
    yield job
    shared.ask("POST", f"/v1/jobs/{job}/cancel")


@pytest.fixture
def viewer(visit: Visit, shared: Backend, running: str) -> Page:
    return visit(shared, link=False).with_password("viewer", PASSWORD).page


def test_a_viewer_sees_no_cancel_and_is_refused_by_the_backend(viewer: Page, shared: Backend, running: str) -> None:
    viewer.goto(f"/jobs/{running}")
    expect(viewer.get_by_role("heading", name="runs on")).to_be_visible()
    viewer.get_by_role("button", name="More actions").click()
    expect(viewer.get_by_role("menuitem")).to_have_text(["Copy the job id"])
    viewer.keyboard.press("Escape")
    for name in ("Cancel", "Retry", "Rename", "Continue from checkpoint"):
        expect(viewer.get_by_role("button", name=name)).to_have_count(0)
    for method, path in (("POST", f"/v1/jobs/{running}/cancel"), ("POST", f"/v1/jobs/{running}/retry")):
        status, told = viewer.evaluate(ASK, [method, path])
        assert (status, told["error"]["code"]) == (403, "forbidden"), told
        assert "member" in told["error"]["message"]
    assert shared.job(running)["state"] == "RUNNING"


def test_a_viewers_list_offers_nothing_that_changes(viewer: Page, running: str) -> None:
    viewer.goto("/?search=runs+on")
    expect(viewer.locator(f'[data-job="{running}"]')).to_be_visible()
    expect(viewer.get_by_role("link", name="New job")).to_have_count(0)
    viewer.get_by_role("checkbox", name="Select runs on").check()
    bar = viewer.get_by_role("region", name="1 selected")
    expect(bar.get_by_role("button", name="Compare")).to_be_visible()
    expect(bar.get_by_role("button", name="Cancel")).to_have_count(0)


@pytest.mark.parametrize(
    ("address", "told"),
    [("/new", "You can’t start a training"), ("/try", "You can’t try models")],
)
def test_a_viewer_is_told_what_the_role_does_not_allow(viewer: Page, address: str, told: str) -> None:
    viewer.goto(address)
    expect(viewer.get_by_role("heading", name=told)).to_be_visible()
    expect(viewer.locator("form")).to_have_count(0)


def test_a_viewer_looks_at_datasets_and_adds_none(viewer: Page) -> None:
    viewer.goto("/datasets")
    expect(viewer.get_by_role("link", name="Cats and dogs").first).to_be_visible()
    expect(viewer.get_by_role("button", name="Upload zip")).to_have_count(0)
    viewer.goto("/datasets/cats-dogs-classes")
    expect(viewer.get_by_role("heading", level=1)).to_contain_text("Cats and dogs")
    expect(viewer.get_by_role("button", name="Delete")).to_have_count(0)
    expect(viewer.get_by_role("link", name="New job with it")).to_have_count(0)


def test_a_role_that_grows_is_seen_and_may(visit: Visit, shared: Backend, running: str) -> None:
    page = visit(shared, link=False).with_password("member", PASSWORD).page
    page.goto(f"/jobs/{running}")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    page.goto("/new")
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
    page.goto("/settings")
    expect(page.get_by_role("heading", name="Users")).to_have_count(0)


def test_another_projects_job_is_not_found(viewer: Page, shared: Backend, tmp_path: Path) -> None:
    project = shared.ask("POST", "/v1/projects", json={"id": "secret", "name": "Secret"})["id"]
    zipped = write_zip(tmp_path / "own.zip", folders(first=5000)).read_bytes()
    given = {"params": {"name": "own", "project_id": project}, "headers": {"Content-Type": "application/zip"}}
    dataset = shared.ask("POST", "/v1/datasets", content=zipped, **given)["id"]
    job = shared.submit(epochs=1, project_id=project, dataset_id=dataset, name="a secret name")
    viewer.goto(f"/jobs/{job}")
    expect(viewer.get_by_role("heading", name="There is no such job")).to_be_visible()
    status, told = viewer.evaluate(ASK, ["POST", f"/v1/jobs/{job}/cancel"])
    assert status == 404, told
    viewer.goto("/?state=RUNNING")
    expect(viewer.get_by_role("row").filter(has_text="runs on")).to_be_visible()
    viewer.goto("/")
    expect(viewer.get_by_role("row").nth(1)).to_be_visible()
    expect(viewer.get_by_text("a secret name")).to_have_count(0)
    viewer.goto(f"/compare?jobs={job}")
    expect(viewer.get_by_text("Not here, or not for you to see")).to_be_visible()
