"""Datasets: how they come, what their check finds, and how their pictures are looked at."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.real.backend import Backend, wait_for
from tests.real.zips import folders, picture, write_zip, yolo


def uploaded(backend: Backend, name: str, files: dict[str, bytes | str], folder: Path) -> str:
    content = write_zip(folder / "some.zip", files).read_bytes()
    headers = {"Content-Type": "application/zip"}
    made = backend.ask("POST", "/v1/datasets", params={"name": name}, content=content, headers=headers)
    wait_for("its check", lambda: backend.ask("GET", f"/v1/datasets/{made['id']}/check")["state"] == "done")
    return str(made["id"])


@pytest.fixture(scope="module")
def ailing(shared: Backend, tmp_path_factory: pytest.TempPathFactory) -> str:
    files = yolo(first=500, train=8)
    files["images/train/broken.png"] = b"this is no picture"
    files["labels/train/broken.txt"] = "0 .5 .5 .4 .4\n"
    files["labels/train/1.txt"] = "7 .5 .5 .4 .4\n"
    files["labels/train/2.txt"] = "0 .9 .9 .9 .9\n"
    files["images/val/copy.png"] = files["images/train/0.png"]
    files["labels/val/copy.txt"] = "0 .5 .5 .4 .4\n"
    return uploaded(shared, "Ailing", files, tmp_path_factory.mktemp("ailing"))


def of_kind(page: Page, kind: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=kind))


def test_what_is_wrong_is_told_kind_by_kind_with_its_files(page: Page, ailing: str) -> None:
    page.goto("/datasets?search=Ailing")
    page.get_by_role("link", name="Ailing").click()
    for kind in (
        "Pictures that can’t be read",
        "Labels of classes that do not exist",
        "Boxes that leave their picture",
        "The same picture in several splits",
    ):
        expect(page.get_by_role("heading", name=kind)).to_be_visible()
    unreadable = of_kind(page, "Pictures that can’t be read")
    unreadable.get_by_text("Files", exact=True).click()
    expect(unreadable.get_by_role("list", name="Files")).to_contain_text("images/train/broken.png")


def test_pictures_of_a_problem_are_shown_and_the_choice_stands_in_the_address(page: Page, ailing: str) -> None:
    page.goto(f"/datasets/{ailing}")
    of_kind(page, "Labels of classes that do not exist").get_by_role("link", name="Show these pictures").click()
    expect(page.get_by_text("1 picture", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_text("1 picture", exact=True)).to_be_visible()
    page.get_by_role("combobox", name="Problem").select_option("Any problem")
    expect(page.get_by_text("4 pictures", exact=True)).to_be_visible()


def test_a_picture_is_shown_large_and_arrows_lead_to_the_next(page: Page, ailing: str) -> None:
    page.goto(f"/datasets/{ailing}?tab=pictures")
    page.get_by_title("images/train/0.png").click()
    window = page.get_by_role("dialog")
    expect(window).to_contain_text("1 of 13")
    page.keyboard.press("ArrowRight")
    expect(window).to_contain_text("2 of 13")
    page.keyboard.press("Escape")
    expect(window).to_have_count(0)


def test_a_zip_that_is_no_dataset_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    page.goto("/datasets")
    path = tmp_path / "hurt.zip"
    path.write_bytes(b"PK\x03\x04 not really a zip")
    page.get_by_test_id("choose-zip").set_input_files(path)
    page.get_by_role("dialog").get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("The zip can’t be used as a dataset.")
    text = tmp_path / "words.txt"
    text.write_text("no dataset")
    page.get_by_test_id("choose-zip").set_input_files(text)
    expect(page.get_by_role("dialog")).to_contain_text("A file alone is no dataset.")


def test_a_folder_is_zipped_on_its_way(page: Page, shared: Backend, tmp_path: Path) -> None:
    folder = tmp_path / "fruits"
    for name, content in folders(first=900).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    page.goto("/datasets")
    page.get_by_test_id("choose-folder").set_input_files(folder)
    window = page.get_by_role("dialog", name="Upload a dataset")
    expect(window).to_contain_text("Folder, 16 files")
    window.get_by_role("button", name="Upload").click()
    page.get_by_role("region", name="Uploads").get_by_role("link", name="Open").click()
    expect(page.get_by_role("heading", name="A training can begin", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("fruits")


def test_another_content_of_the_same_name_is_its_next_version(page: Page, shared: Backend, tmp_path: Path) -> None:
    first = uploaded(shared, "Twice", folders(first=1000), tmp_path)
    path = write_zip(tmp_path / "Twice.zip", folders(first=2000))
    page.goto("/datasets?search=Twice")
    page.get_by_test_id("choose-zip").set_input_files(path)
    window = page.get_by_role("dialog")
    expect(window).to_contain_text("becomes version 2")
    window.get_by_role("button", name="Upload").click()
    page.get_by_role("region", name="Uploads").get_by_role("link", name="Open").click()
    page.get_by_role("combobox", name="Version").select_option(first)
    expect(page).to_have_url(f"{shared.url}/datasets/{first}")
    page.go_back()
    page.goto("/datasets?search=Twice")
    page.get_by_role("button", name="1 older version").click()
    expect(page.get_by_role("link", name="Twice")).to_have_count(2)


def test_a_dataset_is_deleted_after_a_question(page: Page, shared: Backend, tmp_path: Path) -> None:
    dataset = uploaded(shared, "Short-lived", {**folders(first=3000), "train/apple/x.png": picture(77)}, tmp_path)
    page.goto(f"/datasets/{dataset}")
    page.get_by_role("button", name="Delete").click()
    window = page.get_by_role("dialog", name="Delete Short-lived?")
    window.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Delete").click()
    window.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Short-lived is deleted.")).to_be_visible()
    expect(page).to_have_url(f"{shared.url}/datasets")
    assert dataset not in [one["id"] for one in shared.ask("GET", "/v1/datasets")["items"]]
