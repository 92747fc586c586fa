"""Pictures of one's own before a model: dropped, pasted, refused; boxes and classes, and the JSON of them."""

import io
import json
import re

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, Request, expect

from tests.real import predicting
from tests.real.backend import Backend

PASTE = """async ([type, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], 'image.png', { type }));
  document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def file(name: str, seed: int = 0) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": predicting.picture(colour=(seed, 90, 90))}


@pytest.fixture(scope="module")
def classifier(shared: Backend) -> str:
    return predicting.job_with(
        shared, {"label": "dog", "scores": {"dog": 0.9, "cat": 0.1}}, mode="keep", name="tells classes"
    )


@pytest.fixture(scope="module")
def detector(shared: Backend) -> str:
    shared.ask("POST", "/v1/samples/cats-dogs")
    checkpoint = {"label": "cat", "box": [0.1, 0.2, 0.6, 0.8]}
    return predicting.job_with(
        shared, checkpoint, mode="keep", dataset_id="cats-dogs", task="detect", name="draws boxes"
    )


def shown(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name))


def test_boxes_are_drawn_and_the_slider_asks_nobody(page: Page, detector: str) -> None:
    page.goto(f"/try?job={detector}")
    page.get_by_test_id("pictures").set_input_files([file("one.png")])
    one = shown(page, "one.png")
    boxes = one.get_by_role("list", name="Boxes")
    expect(boxes.get_by_role("listitem")).to_have_text(re.compile(r"cat\s*90\s*%"))
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/predict"):
            asked.append(request.url)

    page.on("request", note)
    slider = page.get_by_role("slider", name="Confidence at least")
    slider.fill("0.95")
    expect(boxes).to_have_count(0)
    expect(one.get_by_text("Nothing is as sure as that. The surest has 90")).to_be_visible()
    slider.fill("0.5")
    expect(boxes.get_by_role("listitem")).to_have_count(1)
    assert not asked
    one.get_by_text("Show JSON").click()
    told = json.loads(one.locator("pre").inner_text())
    assert "cat" in json.dumps(told)


def test_the_likeliest_classes_stay_while_another_job_is_chosen(page: Page, classifier: str, detector: str) -> None:
    page.goto(f"/try?job={classifier}")
    page.get_by_test_id("pictures").set_input_files([file("two.png")])
    classes = shown(page, "two.png").get_by_role("list", name="The likeliest classes")
    expect(classes.get_by_role("listitem").first).to_contain_text("dog")
    page.get_by_role("button", name="Choose another job").click()
    page.get_by_role("searchbox", name="Search jobs").fill("draws boxes")
    page.get_by_role("list", name="Job").get_by_role("button", name="draws boxes").click()
    expect(page).to_have_url(re.compile(detector))
    expect(shown(page, "two.png").get_by_role("list", name="Boxes")).to_be_visible()


def test_what_is_no_picture_is_refused_and_the_others_are_shown(page: Page, classifier: str) -> None:
    page.goto(f"/try?job={classifier}")
    broken: FilePayload = {"name": "broken.png", "mimeType": "image/png", "buffer": b"\x89PNG no"}
    page.get_by_test_id("pictures").set_input_files([broken, file("sound.png")])
    expect(shown(page, "broken.png")).to_contain_text("Not accepted:")
    expect(shown(page, "sound.png").get_by_role("list", name="The likeliest classes")).to_be_visible()
    page.get_by_role("button", name="Remove broken.png").click()
    expect(shown(page, "broken.png")).to_have_count(0)


def test_more_than_it_takes_are_left_out_and_said(page: Page, classifier: str) -> None:
    page.goto(f"/try?job={classifier}")
    page.get_by_test_id("pictures").set_input_files([file(f"{number}.png", number) for number in range(20)])
    expect(page.get_by_text("4 were left out: 16 at once.")).to_be_visible()
    expect(page.get_by_role("list", name="The likeliest classes")).to_have_count(16)
    page.get_by_role("button", name="Remove all").click()
    expect(page.get_by_text("Drop pictures here, paste them, or choose files")).to_be_visible()


def test_a_picture_is_pasted(page: Page, classifier: str) -> None:
    page.goto(f"/try?job={classifier}")
    expect(page.get_by_text("Drop pictures here, paste them, or choose files")).to_be_visible()
    data = io.BytesIO()
    Image.new("RGB", (40, 30), (9, 99, 9)).save(data, "PNG")
    page.evaluate(PASTE, ["image/png", list(data.getvalue())])
    expect(shown(page, "pasted picture").get_by_role("list", name="The likeliest classes")).to_be_visible()


def test_a_program_that_breaks_is_told_and_asked_again(page: Page, shared: Backend) -> None:
    job = predicting.job_with(shared, {"mode": "crash"}, mode="keep", name="breaks")
    page.goto(f"/try?job={job}")
    page.get_by_test_id("pictures").set_input_files([file("three.png")])
    alert = page.get_by_role("alert").filter(has_text="The trainer’s predict.py failed at this.")
    expect(alert).to_be_visible()
    predicting.put_checkpoint(shared, job, {"label": "cat", "scores": {"cat": 1.0}}, "best")
    alert.get_by_role("button", name="Try again").click()
    expect(shown(page, "three.png").get_by_role("list", name="The likeliest classes")).to_be_visible()
