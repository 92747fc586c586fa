"""Ten tabs of one browser share one event stream, and all of them are live."""

from pathlib import Path

import psutil
from playwright.sync_api import expect

from tests.browser.looking import charts
from tests.browser.people import Visit
from tests.real.backend import Backend, wait_for

TABS = 10


def connections(backend: Backend) -> int:
    """That browsers hold to the backend, not trainers of other tests. An idle one is closed after five seconds."""
    held = [one for one in psutil.net_connections("tcp") if one.raddr and one.raddr.port == backend.port]
    return sum(one.status == "ESTABLISHED" and is_browser(one.pid) for one in held)


def is_browser(pid: int | None) -> bool:
    try:
        return pid is not None and "chrom" in psutil.Process(pid).name()
    except psutil.NoSuchProcess:
        return False


def test_ten_tabs_hold_one_stream_and_all_are_live(visit: Visit, shared: Backend, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    params = {"gate": str(gate), "epochs": 3, "epoch_seconds": 0.3}
    job = shared.submit(params=params, name="watched by ten")
    visitor = visit(shared)
    tabs = [visitor.page, *(visitor.tab() for _ in range(TABS - 1))]
    for tab in tabs:
        tab.goto(f"/jobs/{job}")
    for tab in tabs:
        expect(tab.get_by_role("heading", name="watched by ten")).to_be_visible()
        expect(tab.get_by_text("No metrics yet")).to_be_visible()
    wait_for("one connection to be left", lambda: connections(shared) == 1, 60)
    gate.touch()
    for tab in tabs:
        expect(charts(tab).first).to_be_visible()
        expect(tab.get_by_text("Epoch 3/3")).to_be_visible()
        expect(tab.get_by_text("Succeeded").first).to_be_visible()
    shared.ask("PATCH", f"/v1/jobs/{job}", json={"name": "seen by all"})
    for tab in tabs:
        expect(tab.get_by_role("heading", name="seen by all")).to_be_visible()
    for tab in tabs[1:]:
        tab.close()
    wait_for("the stream to stay with the last tab", lambda: connections(shared) == 1, 60)
    visitor.context.close()
    wait_for("nobody to be connected", lambda: connections(shared) == 0, 60)
