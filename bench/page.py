"""The page in a real browser: frames of a chart of 100,000 points while it is live, delivery, memory, layout shift.

Headless Chromium without a GPU: everything is drawn by the CPU, on the cores that the backend and the jobs use, too.
"""

import gzip
import json
import re
import socket
import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.people import DESK
from tests.real.backend import wait_for
from tests.real.installation import Installation, installation
from trainyard.callbacks.token import Tokens
from trainyard.db.tables import points, series

POINTS, SECONDS, A_SECOND = 100_000, 12, 10
BEATS, READERS, TABS = 100, 197, 3
LINES = 1_000_000
FRAME_MS = 1000 / 60
FRAMES = """() => {
  const told = window.frames_told = { deltas: [], long: 0 };
  let last = performance.now();
  const frame = (now) => { told.deltas.push(now - last); last = now; told.next = requestAnimationFrame(frame); };
  told.next = requestAnimationFrame(frame);
  new PerformanceObserver((list) => { for (const one of list.getEntries()) told.long += one.duration; })
    .observe({ type: 'longtask' });
}"""
# when each epoch was first to be seen, in the header and in the chart's legend
SEEN = """() => {
  const seen = window.seen_at = { header: {}, chart: {} };
  const look = () => {
    const now = (performance.timeOrigin + performance.now()) / 1000;
    const head = /Epoch ([\\d,]+)/.exec(document.querySelector('#content')?.innerText ?? '');
    if (head) seen.header[head[1].replaceAll(',', '')] ??= now;
    for (const one of document.querySelectorAll('figure button[aria-pressed] .font-mono'))
      seen.chart[one.textContent] ??= now;
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
SHIFTS = """() => {
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
  }).observe({ type: 'layout-shift', buffered: true });
}"""


@dataclass
class Job:
    """One that waits at its gate while we speak for it."""

    made: Installation
    id: str
    gate: Path
    tokens: Tokens
    seq: int = 1_000
    sent: dict[int, float] = field(default_factory=dict[int, float])

    def beat(self, epoch: int, epochs: int, **metrics: float) -> None:
        self.seq += 1
        body = {"attempt": 1, "seq": self.seq, "epoch": epoch, "epochs": epochs, "progress": epoch / epochs}
        url = f"{self.made.settings.backend_url}/v1/jobs/{self.id}/heartbeat"
        headers = {"Authorization": f"Bearer {self.tokens.sign(self.id, 1)}", "Content-Type": "application/json"}
        request = urllib.request.Request(url, json.dumps(body | {"metrics": metrics}).encode(), headers)
        self.sent[epoch] = time.time()
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()

    @contextmanager
    def beating(self, first: int, epochs: int, names: list[str]) -> Generator[None]:
        """Ten heartbeats a second, from another thread, until the block is left."""
        ended = threading.Event()

        def speak() -> None:
            epoch = first
            while not ended.wait(1 / A_SECOND):
                self.beat(epoch, epochs, **dict.fromkeys(names, 1 / (1 + epoch % 97)))
                epoch += 1

        thread = threading.Thread(target=speak)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def job_of(made: Installation, folder: Path, name: str) -> Job:
    gate = folder / f"gate {name}"
    params = {"gate": str(gate), "epochs": 100_000}
    wanted = {"framework": "probe", "dataset_id": "cats-dogs-classes", "params": params, "name": name}
    job_id = str(json.loads(made.ask("POST", "/v1/jobs", wanted))["id"])
    wait_for("its start", lambda: json.loads(made.ask("GET", f"/v1/jobs/{job_id}"))["state"] == "RUNNING", 60)
    key = (made.data / "secrets" / "signing_key").read_text().strip()
    return Job(made, job_id, gate, Tokens(key, 3600))


def fill(made: Installation, job: Job, names: list[str]) -> None:
    """Points of the past, as many as heartbeats would take an hour for."""
    each = POINTS // len(names)
    engine = sa.create_engine(f"sqlite:///{made.data / 'trainyard.db'}", connect_args={"timeout": 60})
    with engine.begin() as conn:
        for name in names:
            row = {"job_id": job.id, "name": name, "last": 0.5, "last_step": each, "min": 0.0, "max": 1.0}
            key = conn.execute(series.insert().values(**row, min_step=1, max_step=2)).inserted_primary_key
            assert key is not None
            at = time.time()
            rows = [
                {"series_id": key[0], "step": step, "value": 10 / (10 + step) + (step * 7919 % 100) / 1000, "at": at}
                for step in range(1, each + 1)
            ]
            conn.execute(points.insert(), rows)
    engine.dispose()


@contextmanager
def visitor(browser: Browser, made: Installation) -> Generator[BrowserContext]:
    context = browser.new_context(base_url=made.settings.backend_url, viewport=DESK, locale="en-GB")
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(json.loads(made.ask("POST", "/v1/auth/links"))["url"])
    page.locator("#content").wait_for()
    try:
        yield context
    finally:
        context.close()


def show_frames(what: str, page: Page) -> None:
    told: dict[str, Any] = page.evaluate("() => { cancelAnimationFrame(frames_told.next); return frames_told; }")
    deltas = sorted(told["deltas"][5:])
    dropped = sum(max(0, round(delta / FRAME_MS) - 1) for delta in deltas)
    print(
        f"{what:58} {statistics.median(deltas):6.1f} ms {deltas[int(len(deltas) * 0.95)]:6.1f} ms "
        f"{100 * dropped / (dropped + len(deltas)):5.1f} % {told['long'] / sum(deltas) * 100:5.1f} %"
    )


def frames(browser: Browser, made: Installation, folder: Path) -> None:
    names = ["train/loss", "val/loss"]
    job = job_of(made, folder, "frames")
    with visitor(browser, made) as context:
        page = context.pages[0]
        print(f"\n{'frames (median, p95, dropped, in long tasks)':58}")
        page.goto("about:blank")
        page.evaluate(FRAMES)
        page.wait_for_timeout(5_000)
        show_frames("an empty page", page)
        job.beat(1, 100_000, **{"val/accuracy": 0.5})
        page.goto(f"/jobs/{job.id}")
        chart = page.locator('[role="group"][aria-roledescription]').first
        chart.wait_for()
        move(page, chart.bounding_box(), "a chart of one point, the pointer moves")
        fill(made, job, names)
        page.reload()
        page.get_by_role("group", name="loss").wait_for()
        box = page.get_by_role("group", name="loss").bounding_box()
        move(page, box, f"{POINTS:,} points, the pointer moves")
        page.mouse.move(1, 1)
        with job.beating(POINTS, 200_000, names):
            page.evaluate(FRAMES)
            page.wait_for_timeout(SECONDS * 1_000)
            show_frames(f"{POINTS:,} points, {A_SECOND} events a second", page)
        with job.beating(2 * POINTS, 400_000, names):
            move(page, box, f"{POINTS:,} points, {A_SECOND} events a second, the pointer moves")
    job.gate.touch()
    made.ask("POST", f"/v1/jobs/{job.id}/cancel")


def move(page: Page, box: Any, what: str) -> None:
    page.evaluate(FRAMES)
    end, step = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        step += 1
        page.mouse.move(box["x"] + 60 + step * 7 % (box["width"] - 80), box["y"] + 40 + step % 100)
    show_frames(what, page)


class Readers:
    """Event streams that nobody draws: sockets that are read."""

    def __init__(self, made: Installation, count: int) -> None:
        parts = made.settings.backend_url.removeprefix("http://").split(":")
        head = f"GET /v1/events HTTP/1.1\r\nHost: {':'.join(parts)}\r\n"
        head += f"Authorization: Bearer {made.settings.admin_token}\r\n\r\n"
        self._ones = [socket.create_connection((parts[0], int(parts[1])), 60) for _ in range(count)]
        for one in self._ones:
            one.sendall(head.encode())
        self._threads = [threading.Thread(target=self._read, args=(one,), daemon=True) for one in self._ones]
        for thread in self._threads:
            thread.start()

    def _read(self, one: socket.socket) -> None:
        with suppress(OSError):
            while one.recv(65_536):
                pass

    def close(self) -> None:
        for one in self._ones:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def delivery(browser: Browser, made: Installation, folder: Path) -> None:
    print(f"\n{'callback sent → to be seen in the page':58}    median      p95      max")
    for tabs, readers in ((1, 0), (TABS, READERS)):
        job = job_of(made, folder, f"delivery {tabs}")
        held = Readers(made, readers)
        with visitors(browser, made, tabs) as pages:
            for page in pages:
                page.goto(f"/jobs/{job.id}")
                page.get_by_text("No metrics yet").wait_for()
                page.evaluate(SEEN)
            job.beat(1, 1_000, **{"val/accuracy": 0.001})
            for page in pages:
                page.get_by_role("group", name="accuracy").wait_for()
            for epoch in range(2, BEATS + 2):
                time.sleep(1 / A_SECOND)
                job.beat(epoch, 1_000, **{"val/accuracy": epoch / 1_000})
            for page in pages:
                page.get_by_text(f"Epoch {BEATS + 1}/").wait_for()
            told = [page.evaluate("() => seen_at") for page in pages]
        held.close()
        for place in ("header", "chart"):
            taken = sorted(late(job, told, place))
            who = f"{tabs + readers} open ({tabs} tabs, {readers} plain readers), the {place}"
            print(
                f"{who:58} {statistics.median(taken):6.0f} ms {taken[int(len(taken) * 0.95)]:5.0f} ms "
                f"{taken[-1]:5.0f} ms  of {len(taken)}"
            )
        job.gate.touch()
        made.ask("POST", f"/v1/jobs/{job.id}/cancel")


def late(job: Job, told: list[dict[str, dict[str, float]]], place: str) -> Iterator[float]:
    """Milliseconds from each call to each page; what was overtaken by the next one was never drawn by itself."""
    for one in told:
        for text, at in one[place].items():
            with suppress(ValueError):
                epoch = int(text) if place == "header" else round(float(text) * 1_000)
                if epoch > 1 and epoch in job.sent:
                    yield (at - job.sent[epoch]) * 1_000


@contextmanager
def visitors(browser: Browser, made: Installation, count: int) -> Generator[list[Page]]:
    """Each of a browser profile of its own, so each with a stream of its own."""
    if count == 0:
        yield []
        return
    with visitor(browser, made) as context, visitors(browser, made, count - 1) as others:
        yield [context.pages[0], *others]


def memory(browser: Browser, made: Installation, folder: Path) -> None:
    wanted = {"framework": "probe", "dataset_id": "cats-dogs-classes", "params": {"epochs": 1}}
    job_id = str(json.loads(made.ask("POST", "/v1/jobs", wanted))["id"])
    wait_for("its end", lambda: json.loads(made.ask("GET", f"/v1/jobs/{job_id}"))["closed_at"], 60)
    log = next((made.data / "runs" / job_id).rglob("output.log"))
    with log.open("w") as file:
        file.writelines(f"epoch {n // 1000} batch {n % 1000} loss {1 / (n + 1):.9f} lr 0.001\n" for n in range(LINES))
    with visitor(browser, made) as context:
        page = context.pages[0]
        before = largest(browser)
        page.goto(f"/jobs/{job_id}?tab=log")
        page.get_by_text("loaded").first.wait_for()
        began = time.monotonic()
        page.get_by_role("button", name="To the start").click()
        page.get_by_role("log").get_by_text("epoch 0 batch 0 loss").first.wait_for()
        seconds = time.monotonic() - began
        page.context.new_cdp_session(page).send("HeapProfiler.collectGarbage")
        print(f"\na log of {LINES:,} lines, {log.stat().st_size >> 20} MB: all of it here after {seconds:.1f} s;")
        print(f"the tab's process {largest(browser)} MB (private memory), {before} MB before")


def largest(browser: Browser) -> int:
    """MB of private memory of the largest tab's process."""
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    pids = [int(one["id"]) for one in told["processInfo"] if one["type"] == "renderer"]
    return max(psutil.Process(pid).memory_full_info().uss for pid in pids) >> 20


def shift(browser: Browser, made: Installation, folder: Path) -> None:
    print(f"\n{'layout shift (CLS) in ' + str(SECONDS) + ' s of live events':58}   loading     live")
    jobs = [job_of(made, folder, f"shift {number}") for number in range(3)]
    with visitor(browser, made) as context:
        page = context.pages[0]
        for name, address in (("the list of jobs", "/"), ("a job's page", f"/jobs/{jobs[0].id}")):
            page.add_init_script(f"({SHIFTS})()")
            page.goto(address)
            page.get_by_text("shift 0").first.wait_for()
            page.wait_for_timeout(1_500)
            loading = page.evaluate("() => shifted")
            epoch, end = 1, time.monotonic() + SECONDS
            while time.monotonic() < end:
                for job in jobs:
                    job.beat(epoch, 1_000, **{"val/accuracy": epoch / 1_000, "train/loss": 1000 / epoch})
                epoch += 1
                page.wait_for_timeout(1_000 / A_SECOND)
            print(f"{name:58} {loading:8.4f} {page.evaluate('() => shifted') - loading:8.4f}")
    for job in jobs:
        job.gate.touch()
        made.ask("POST", f"/v1/jobs/{job.id}/cancel")


def first_load(browser: Browser, made: Installation) -> None:
    with visitor(browser, made) as context:
        signed_in = context.storage_state()
    context = browser.new_context(base_url=made.settings.backend_url, viewport=DESK, storage_state=signed_in)
    page = context.new_page()
    found: dict[str, list[int]] = {}
    kinds: dict[str, str] = {}
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.responseReceived", lambda told: kinds.update({told["requestId"]: told["type"]}))
    session.on(
        "Network.loadingFinished",
        lambda told: found.setdefault(kinds.get(told["requestId"], "?"), []).append(int(told["encodedDataLength"])),
    )
    page.goto("/")
    page.get_by_role("table", name="Jobs").wait_for()
    page.wait_for_timeout(1_000)
    scripts = re.findall(r"/assets/\S+\.js", " ".join(page.evaluate(LOADED)))
    packed = sum(len(gzip.compress(made.ask("GET", path))) for path in set(scripts))
    print(f"\nfirst load of the list of jobs: {packed / 1000:.0f} kB of script, gzipped; as they came over the wire:")
    print(", ".join(f"{kind} {sum(sizes) / 1000:.0f} kB in {len(sizes)}" for kind, sizes in sorted(found.items())))
    context.close()


LOADED = "() => performance.getEntriesByType('resource').map((one) => one.name)"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ty-bench-") as folder:
        place = Path(folder)
        with installation(place, slots="12") as made:
            made.run("up", "--detach")
            made.ask("POST", "/v1/samples/cats-dogs-classes")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
                frames(browser, made, place)
                delivery(browser, made, place)
                shift(browser, made, place)
                memory(browser, made, place)
                first_load(browser, made)
                browser.close()


if __name__ == "__main__":
    main()
