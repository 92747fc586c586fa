"""From pictures on a disk to a model that knows another one, without a terminal."""

import io
import random
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.looking import charts, points
from tests.browser.people import MakeOne, Visit
from tests.real.zips import write_zip

EPOCHS = 8


def drawn(digit: int, seed: int) -> bytes:
    """A nought or a one, each a little elsewhere."""
    chance = random.Random(f"{digit} {seed}")
    image = Image.frombytes("L", (28, 28), bytes(byte // 8 for byte in chance.randbytes(28 * 28)))
    brush, left, top = ImageDraw.Draw(image), chance.randrange(5), chance.randrange(4)
    if digit:
        brush.line([(12 + left, 4 + top), (12 + left, 22 + top)], 255, 3)
    else:
        brush.ellipse([4 + left, 3 + top, 18 + left, 20 + top], outline=255, width=3)
    file = io.BytesIO()
    image.convert("RGB").save(file, "PNG")
    return file.getvalue()


def digits(folder: Path) -> Path:
    files: dict[str, bytes | str] = {
        f"{split}/{name}/{number}.png": drawn(digit, 100 * (split == "val") + number)
        for split, count in (("train", 20), ("val", 6))
        for digit, name in enumerate(("nought", "one"))
        for number in range(count)
    }
    return write_zip(folder / "digits.zip", files)


def drop(page: Page, path: Path) -> None:
    """As if it came from the desktop."""
    to = {"x": 600, "y": 400, "data": {"items": [], "files": [str(path)], "dragOperationsMask": 1}}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **to})


def test_from_pictures_to_a_tried_model(visit: Visit, make_one: MakeOne, trainers: Path, tmp_path: Path) -> None:
    backend = make_one(trainers_dir=str(trainers)).start()
    page = visit(backend).page
    page.get_by_role("link", name="Upload pictures").click()  # the empty list of jobs knows the first step
    expect(page.get_by_role("heading", name="No datasets yet")).to_be_visible()

    drop(page, digits(tmp_path))
    window = page.get_by_role("dialog", name="Upload a dataset")
    expect(window.get_by_label("Name")).to_have_value("digits")
    window.get_by_role("button", name="Upload").click()
    page.get_by_role("region", name="Uploads").get_by_role("link", name="Open").click()
    expect(page.get_by_role("heading", name="A training can begin", exact=True)).to_be_visible()
    expect(page.get_by_text("Nothing is wrong with any picture or label.").first).to_be_visible()
    expect(page.get_by_role("navigation", name="Views of this dataset")).to_contain_text("Pictures 52")

    page.get_by_role("link", name="New job with it").click()
    page.get_by_role("radio", name="scikit-learn", exact=True).check()
    expect(page.get_by_role("radio", name="digits", exact=True)).to_be_checked()
    page.get_by_role("textbox", name="epochs").fill(str(EPOCHS))
    expect(page.get_by_test_id("command")).to_contain_text(f"--epochs {EPOCHS}")
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/jobs/*")
    page.evaluate("() => { window.stays = true }")  # from here on nothing loads the page anew
    job_id = page.url.rsplit("/", 1)[-1]

    expect(charts(page).first).to_be_visible()
    expect(page.get_by_text(f"Epoch {EPOCHS}/{EPOCHS}")).to_be_visible()
    expect(page.get_by_text("Succeeded").first).to_be_visible()
    accuracy = page.get_by_role("group", name="accuracy")
    assert sorted(points(page, accuracy, EPOCHS)) == list(range(1, EPOCHS + 1))

    views = page.get_by_role("navigation", name="Views of this job")
    views.get_by_role("link", name="Log").click()
    log = page.get_by_role("log")
    page.get_by_role("searchbox", name="Search the log").fill("DONE")
    expect(log.locator("mark").first).to_have_text("DONE")

    views.get_by_role("link", name="Pictures").click()
    pictures = page.get_by_role("list", name="Pictures")
    pictures.get_by_role("button").first.click()
    large = page.get_by_role("dialog")
    expect(large.get_by_role("heading")).to_contain_text(f"epoch {EPOCHS}")
    page.keyboard.press("ArrowDown")
    expect(large.get_by_role("heading")).to_contain_text(f"epoch {EPOCHS - 1}")
    page.keyboard.press("Escape")
    assert page.evaluate("() => window.stays")

    page.get_by_role("link", name="Try it").last.click()
    expect(page).to_have_url(f"{backend.url}/try?job={job_id}")
    for digit, name in enumerate(("nought", "one")):
        file: FilePayload = {"name": f"{name}.png", "mimeType": "image/png", "buffer": drawn(digit, 999)}
        page.get_by_test_id("pictures").set_input_files([file])
        shown = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=f"{name}.png"))
        likeliest = shown.get_by_role("list", name="The likeliest classes").get_by_role("listitem")
        expect(likeliest).to_have_count(2)
        expect(likeliest.first).to_contain_text(name)
    found = backend.job(job_id)["metrics"]["val/accuracy"]["last"]
    assert found > 0.9
