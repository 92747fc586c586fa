"""Names, logs, class names and whatever else people and programs write: shown as it is, and never run."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import settled
from tests.browser.people import Visit
from tests.real.backend import Backend, wait_for
from tests.real.zips import picture, write_zip
from trainyard.callbacks.token import Tokens

RUN = "window.__pwned=1"
# after pictures that can't be loaded have said so
PWNED = "() => new Promise((tell) => requestAnimationFrame(() => setTimeout(() => tell(window.__pwned), 50)))"
CORPUS = (
    f"<script>{RUN}</script>",
    f'<img src=x onerror="{RUN}">',
    f"\"><svg onload='{RUN}'>",
    f"javascript:{RUN}",
    f'</title></textarea><iframe srcdoc="<script>parent.{RUN}</script>">',
    f"{{{{constructor.constructor('{RUN}')()}}}}${{{RUN}}}",
    f"'-{RUN}-'\u202e\u0000\x1b]8;;javascript:{RUN}\x07link\x1b]8;;\x07",
)
NAME = " ".join(CORPUS[:3])[:180]
FILE = f"a<img src=x onerror={RUN}>.png"  # a slash would be a folder
CLASSES = [f"<img src=x onerror={RUN}>", f"<svg onload={RUN}>"]


def untouched(page: Page) -> None:
    settled(page)
    assert page.evaluate(PWNED) is None
    assert page.locator("main img[src='x'], main svg[onload], main iframe, main script").count() == 0


@pytest.fixture(scope="module")
def dataset(shared: Backend, tmp_path_factory: pytest.TempPathFactory) -> str:
    named = f"names: {json.dumps(CLASSES)}\ntrain: images/train\nval: images/val\n"
    files: dict[str, bytes | str] = {"data.yaml": named}
    for number in range(6):
        split = "train" if number < 4 else "val"
        stem = f"{number}{FILE.removesuffix('.png')}"
        files[f"images/{split}/{stem}.png"] = picture(number)
        files[f"labels/{split}/{stem}.txt"] = f"{number % 2} .5 .5 .4 .4\n"
    files[f"images/train/broken {FILE}"] = b"no picture"
    files[f"labels/train/broken {FILE.removesuffix('.png')}.txt"] = "0 .5 .5 .4 .4\n"
    path = write_zip(tmp_path_factory.mktemp("zip") / "hostile.zip", files)
    made = shared.ask(
        "POST",
        "/v1/datasets",
        params={"name": NAME},
        content=path.read_bytes(),
        headers={"Content-Type": "application/zip"},
    )
    wait_for("its check", lambda: shared.ask("GET", f"/v1/datasets/{made['id']}/check")["state"] == "done")
    return str(made["id"])


def told(backend: Backend, job: str, kind: str, **body: object) -> None:
    """As the job's own trainer would tell it."""
    key = (backend.folder / "data" / "secrets" / "signing_key").read_text().strip()
    headers = {"Authorization": f"Bearer {Tokens(key, 3600).sign(job, 1)}"}
    backend.ask("POST", f"/v1/jobs/{job}/{kind}", headers=headers, json={"attempt": 1, **body})


@pytest.fixture(scope="module")
def job(shared: Backend, dataset: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    gate: Path = tmp_path_factory.mktemp("gate") / "gate"
    given = {"tags": ["<b>tag</b>", *(f"<img src=x onerror={RUN}>",)], "notes": "\n".join(CORPUS[:6])}
    params = {"mode": " ".join(CORPUS[:6]), "gate": str(gate), "epochs": 2}
    made = shared.submit(params=params, name=NAME, dataset_id=dataset, task="detect", **given)
    shared.wait_state(made, "RUNNING")
    metrics = {f"val/{text[:80]}": 0.5 for text in CORPUS[:6]}
    for epoch in (1, 2):
        told(shared, made, "heartbeat", seq=900 + epoch, epoch=epoch, epochs=2, phase=CORPUS[1], metrics=metrics)
    sample = {"epoch": 1, "index": 0, "key": f"samples/job-{made}/epoch-1/0.jpg"}
    found = [{"label": name, "confidence": 0.9, "box": [1, 2, 9, 9]} for name in CLASSES]
    told(shared, made, "event", seq=950, type="sample", data=sample | {"truth": found, "found": found})
    error = {"type": CORPUS[0], "message": CORPUS[1], "traceback": "\n".join(CORPUS[:6])}
    told(shared, made, "done", seq=999, status="failed", error=error)
    gate.touch()
    assert shared.wait_closed(made)["state"] == "FAILED"
    return made


@pytest.mark.parametrize("view", ["charts", "log", "pictures", "configuration", "events", "system"])
def test_a_job_that_says_hostile_things_is_shown_and_nothing_runs(
    visit: Visit, shared: Backend, job: str, view: str
) -> None:
    page = visit(shared).page
    page.goto(f"/jobs/{job}?tab={view}")
    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    expected = {
        "charts": CORPUS[1][:80],
        "log": CORPUS[0],
        "pictures": CLASSES[0],
        "configuration": CORPUS[3],
        "events": CORPUS[1],
        "system": "",
    }[view]
    if view == "log":
        expect(page.get_by_role("log")).to_contain_text(expected)
    else:
        expect(page.locator("main").get_by_text(expected, exact=False).first).to_be_attached()
    untouched(page)
    page.get_by_role("button", name="More actions").click()
    untouched(page)


def test_a_hostile_name_in_lists_menus_and_windows(page: Page, job: str, dataset: str) -> None:
    page.goto("/?state=FAILED")
    row = page.locator(f'[data-job="{job}"]')
    expect(row).to_contain_text(CORPUS[0])
    expect(row).to_contain_text("<b>tag</b>")
    page.get_by_role("button", name="Tag").first.click()
    page.get_by_role("menuitemcheckbox").filter(has_text="<img src=x").click()
    page.keyboard.press("Escape")
    expect(row).to_be_visible()
    page.get_by_role("button", name="Metric").first.click()
    expect(page.get_by_role("menuitemcheckbox").filter(has_text=CORPUS[0][:40]).first).to_be_attached()
    page.keyboard.press("Escape")
    page.get_by_role("checkbox", name=f"Select {NAME}").check()
    untouched(page)


@pytest.mark.parametrize(
    "address",
    ["/datasets", "/datasets/{dataset}", "/datasets/{dataset}?tab=pictures", "/datasets/{dataset}?tab=jobs"],
)
def test_a_dataset_with_hostile_names(page: Page, dataset: str, job: str, address: str) -> None:
    page.goto(address.format(dataset=dataset))
    expect(page.locator("main").get_by_text(CORPUS[0]).first).to_be_visible()
    for folded in page.locator("main summary").all():
        folded.click()
    untouched(page)
    if "pictures" in address:
        page.locator("[data-position]").first.click()
        expect(page.get_by_role("dialog")).to_contain_text("<img src=x")
        untouched(page)


@pytest.mark.parametrize(
    "address", ["/new?dataset={dataset}", "/new?from={job}", "/compare?jobs={job}", "/try?job={job}"]
)
def test_other_pages_that_show_what_others_wrote(page: Page, dataset: str, job: str, address: str) -> None:
    page.goto(address.format(dataset=dataset, job=job))
    expect(page.locator("main").get_by_text("<script>").first).to_be_attached()
    untouched(page)


@pytest.mark.parametrize(
    "address",
    [
        "/?search=%3Cscript%3Ewindow.__pwned=1%3C/script%3E&metric=%3Cimg+src=x+onerror=window.__pwned=1%3E",
        "/jobs/%3Cimg%20src=x%20onerror=window.__pwned=1%3E",
        "/datasets/%3Csvg%20onload=window.__pwned=1%3E",
        "/compare?jobs=%3Cscript%3Ewindow.__pwned=1%3C/script%3E",
        "/sign-in?to=javascript:window.__pwned=1",
        "/sign-in?to=//example.org/x",
    ],
)
def test_an_address_somebody_sent_runs_nothing_and_stays_here(page: Page, shared: Backend, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading").first).to_be_visible()
    if page.locator("#content").count():
        untouched(page)
    assert page.evaluate(PWNED) is None
    assert page.url.startswith(f"{shared.url}/")
