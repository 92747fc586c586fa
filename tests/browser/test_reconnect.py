"""The backend dies and comes back while somebody looks: it is said, and nothing is missing afterwards."""

from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Route, TimeoutError, expect

from tests.browser.looking import charts, points
from tests.browser.people import MakeOne, Visit
from tests.real.zips import folders, write_zip

EPOCHS = 30
AWAY = "No connection to the backend"


def test_a_chart_has_every_epoch_after_the_backend_was_killed(visit: Visit, make_one: MakeOne, tmp_path: Path) -> None:
    backend = make_one().start().with_sample()
    gate = tmp_path / "gate"
    params = {"gate": str(gate), "epochs": EPOCHS, "epoch_seconds": 0.4}
    job = backend.submit(params=params, name="goes on")
    visitor = visit(backend)
    page, listed = visitor.page, visitor.tab()
    page.goto(f"/jobs/{job}")
    listed.goto("/")
    expect(page.get_by_text("No metrics yet")).to_be_visible()
    expect(listed.locator(f'[data-job="{job}"]')).to_be_visible()
    gate.touch()  # it is to go on when the backend goes
    expect(charts(page).first).to_be_visible()
    expect(listed.locator(f'[data-job="{job}"]')).to_contain_text(f"/{EPOCHS}")
    page.evaluate("() => { window.stays = true }")

    backend.kill()
    expect(page.get_by_role("status").filter(has_text=AWAY)).to_be_visible()
    expect(listed.get_by_role("status").filter(has_text=AWAY)).to_be_visible()
    backend.start()
    expect(page.get_by_text(AWAY)).to_have_count(0)
    expect(page.get_by_text(f"Epoch {EPOCHS}/{EPOCHS}")).to_be_visible()
    expect(page.get_by_text("Succeeded").first).to_be_visible()

    told = backend.curve(job, "val/accuracy")
    assert len(told) == EPOCHS
    shown = points(page, page.get_by_role("group", name="accuracy"), EPOCHS)
    assert sorted(shown) == list(range(1, EPOCHS + 1))
    assert [abs(float(shown[step]) - told[step - 1]) < 1e-3 for step in sorted(shown)] == [True] * EPOCHS
    expect(listed.get_by_text(AWAY)).to_have_count(0)
    expect(listed.locator(f'[data-job="{job}"]')).to_contain_text("Succeeded")
    assert page.evaluate("() => window.stays")


def test_what_was_asked_of_nobody_can_be_asked_again(visit: Visit, make_one: MakeOne) -> None:
    backend = make_one().start().with_sample()
    page = visit(backend).page
    expect(page.get_by_role("heading", name="No trainings yet")).to_be_visible()
    job = backend.submit(epochs=1, name="before it went")
    expect(page.locator(f'[data-job="{job}"]')).to_contain_text("Succeeded")
    backend.kill()
    expect(page.get_by_role("status").filter(has_text=AWAY)).to_be_visible()
    page.get_by_role("searchbox").fill("before")
    alert = page.get_by_role("alert").filter(has_text="The backend does not answer.")
    expect(alert).to_be_visible()
    backend.start()
    expect(page.get_by_text(AWAY)).to_have_count(0)
    if alert.is_visible():  # it asks again by itself as soon as it hears from it, maybe just now
        with suppress(TimeoutError):
            alert.get_by_role("button", name="Try again").click(timeout=2_000)
    expect(page.locator(f'[data-job="{job}"]')).to_be_visible()


def test_an_upload_goes_on_after_the_backend_was_killed(visit: Visit, make_one: MakeOne, tmp_path: Path) -> None:
    backend = make_one().start()
    page = visit(backend).page
    page.goto("/datasets")
    path = write_zip(tmp_path / "large.zip", {**folders(), "notes.bin": bytes(20 << 20)})
    pieces: list[int] = []

    def pass_on(route: Route) -> None:
        if route.request.method == "PATCH":
            pieces.append(int(route.request.headers["upload-offset"]))
            if len(pieces) == 2:
                backend.kill()  # the second piece finds nobody
        route.continue_()

    page.route("**/v1/uploads/*", pass_on)
    page.get_by_test_id("choose-zip").set_input_files(path)
    page.get_by_role("dialog").get_by_role("button", name="Upload").click()
    expect(page.get_by_text("Connection lost.")).to_be_visible()
    backend.start()
    expect(page.get_by_text("Uploaded. Its check goes on by itself.")).to_be_visible()
    assert pieces.count(0) == 1, "it began anew"
    [dataset] = backend.ask("GET", "/v1/datasets")["items"]
    assert dataset["bytes"] == path.stat().st_size
