"""`python frontend/screenshots.py OUT [--url URL --token TOKEN]`: every page in every state as people see it.

Against a running installation, read only: what it lacks (an empty list, a viewer, an error, a slow answer) is answered
here in its place. Both languages, both themes, desk and phone; `--only jobs` takes those whose name begins so.
`--readme` makes the two pictures of the README into docs/ instead.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx2
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = "/usr/bin/chromium"
Language = Literal["en", "ko"]
Theme = Literal["light", "dark"]
SIZES = {"desk": (1280, 800), "phone": (390, 844)}
MOST_BYTES = 200_000  # of a picture in the README
NOTHING = {"items": [], "total": 0, "next": None, "next_before": None, "next_after": None}
BROKEN = {"error": {"code": "unavailable", "message": "The database is busy.", "hint": "Try again.", "field": None}}


class Installation:
    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx2.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def ask(self, method: str, path: str) -> Any:
        return self._http.request(method, path).raise_for_status().json()

    def job(self, **wanted: str) -> str | None:
        """The newest that has this state and, where it is asked for, a checkpoint and pictures."""
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        for job in self.ask("GET", f"/v1/jobs?limit=100&{query}")["items"]:
            if wanted.get("state") != "SUCCEEDED" or (job["metrics"] and job["checkpoint"]):
                return str(job["id"])
        return None


Prepare = Callable[[Page], None]


@dataclass(frozen=True)
class Shot:
    """A page in a state. `answers`: what the API answers in its place, by a part of the address; None: nothing yet."""

    name: str
    address: str
    answers: dict[str, Any] | None = None
    viewer: bool = False
    then: Prepare | None = None


def click(role: Any, name: str) -> Prepare:
    """By a pattern that fits both languages."""
    return lambda page: page.get_by_role(role, name=re.compile(name)).first.click()


def shots(made: Installation) -> list[Shot]:
    """All that this installation has something for."""
    datasets = made.ask("GET", "/v1/datasets")["items"]
    found = [
        Shot("jobs", "/"),
        Shot("jobs-selected", "/", then=lambda page: page.get_by_role("checkbox").nth(1).check()),
        Shot("jobs-filter-menu", "/", then=click("button", "^(State|상태)")),
        Shot("jobs-none-found", "/?search=nothing%20is%20called%20so"),
        Shot("jobs-empty", "/", {"/v1/jobs": NOTHING}),
        Shot("jobs-empty-no-dataset", "/", {"/v1/jobs": NOTHING, "/v1/datasets": NOTHING}),
        Shot("jobs-loading", "/", {"/v1/jobs": None}),
        Shot("jobs-error", "/", {"/v1/jobs": BROKEN}),
        Shot("jobs-viewer", "/", viewer=True),
        Shot("jobs-keys", "/", then=lambda page: page.keyboard.press("?")),
        Shot("new", "/new"),
        Shot("new-wrong", "/new", then=wrong_number),
        Shot("new-no-dataset", "/new", {"/v1/datasets": NOTHING}),
        Shot("new-no-trainer", "/new", {"/v1/trainers": NOTHING}),
        Shot("new-loading", "/new", {"/v1/trainers": None}),
        Shot("new-error", "/new", {"/v1/trainers": BROKEN}),
        Shot("new-viewer", "/new", viewer=True),
        Shot("compare-empty", "/compare"),
        Shot("datasets", "/datasets"),
        Shot("datasets-none-fits", "/datasets?search=nothing"),
        Shot("datasets-empty", "/datasets", {"/v1/datasets": NOTHING}),
        Shot("datasets-empty-viewer", "/datasets", {"/v1/datasets": NOTHING}, viewer=True),
        Shot("datasets-loading", "/datasets", {"/v1/datasets": None}),
        Shot("datasets-error", "/datasets", {"/v1/datasets": BROKEN}),
        Shot("try-none", "/try", {"/v1/jobs": NOTHING}),
        Shot("try-viewer", "/try", viewer=True),
        Shot("services", "/services"),
        Shot("services-error", "/services", {"/v1/status": BROKEN}),
        Shot("settings", "/settings"),
        Shot("settings-viewer", "/settings", viewer=True),
        Shot("sign-in", "/sign-in"),
        Shot("job-missing", "/jobs/job-20250101-000000-gone"),
        Shot("dataset-missing", "/datasets/nothing-like-it"),
        Shot("page-missing", "/nothing/is/here"),
    ]
    done, failed = made.job(state="SUCCEEDED"), made.job(state="FAILED")
    running, cancelled = made.job(state="RUNNING"), made.job(state="CANCELLED")
    for state, job in (("running", running), ("cancelled", cancelled), ("failed", failed)):
        if job is not None:
            found.append(Shot(f"job-{state}", f"/jobs/{job}"))
    if running is not None:
        found.append(Shot("job-cancel", f"/jobs/{running}", then=click("button", "^(Cancel|취소)$")))
        found.append(Shot("job-log-live", f"/jobs/{running}?tab=log"))
    if done is not None:
        tabs = ("charts", "log", "pictures", "configuration", "events", "system")
        found += [Shot(f"job-{tab}", f"/jobs/{done}?tab={tab}") for tab in tabs]
        parts = {"charts": "metrics", "log": "log", "pictures": "samples", "events": "events", "system": "usage"}
        for tab, part in parts.items():
            path = f"/v1/jobs/{done}/{part}"
            found.append(Shot(f"job-{tab}-loading", f"/jobs/{done}?tab={tab}", {path: None}))
            found.append(Shot(f"job-{tab}-error", f"/jobs/{done}?tab={tab}", {path: BROKEN}))
        found += [
            Shot("job-loading", f"/jobs/{done}", {f"/v1/jobs/{done}": None}),
            Shot("job-error", f"/jobs/{done}", {f"/v1/jobs/{done}": BROKEN}),
            Shot("job-viewer", f"/jobs/{done}", viewer=True),
            Shot("job-picture-large", f"/jobs/{done}?tab=pictures", then=first_picture),
            Shot(
                "job-log-search", f"/jobs/{done}?tab=log", then=lambda page: page.get_by_role("searchbox").fill("epoch")
            ),
            Shot("new-clone", f"/new?from={done}"),
            Shot("try", f"/try?job={done}"),
        ]
        others = [job for job in (failed, cancelled, running) if job is not None]
        if others:
            found.append(Shot("compare", f"/compare?jobs={done},{others[0]}"))
            found.append(Shot("compare-all", f"/compare?jobs={','.join([done, *others])}&all=1"))
        found.append(Shot("compare-one", f"/compare?jobs={done}"))
        found.append(Shot("compare-lost", f"/compare?jobs={done},job-20250101-000000-gone"))
    for name, dataset in dict(verdicts(datasets)).items():
        found.append(Shot(f"dataset-{name}", f"/datasets/{dataset}"))
        found += [Shot(f"dataset-{name}-{tab}", f"/datasets/{dataset}?tab={tab}") for tab in ("pictures", "jobs")]
    return found


def verdicts(datasets: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """One dataset for each way in which a check ends."""
    return [
        (
            "good" if one["ready"] and not one["check"]["warnings"] else "warned" if one["ready"] else "refused",
            one["id"],
        )
        for one in datasets
    ]


def wrong_number(page: Page) -> None:
    field = page.get_by_role("textbox", name=re.compile("epochs")).first
    field.fill("x")
    field.press("Enter")


def first_picture(page: Page) -> None:
    page.get_by_role("list", name=re.compile("Pictures|예측 이미지")).get_by_role("button").first.click()


def answer_in_its_place(page: Page, answers: dict[str, Any]) -> list[Route]:
    """Those that wait for an answer."""
    held: list[Route] = []
    for path, body in answers.items():
        page.route(re.compile(rf"{re.escape(path)}(\?.*)?$"), answering(body, held))
    return held


def answering(body: Any, held: list[Route]) -> Callable[[Route], None]:
    def answer(route: Route) -> None:
        if body is None:
            held.append(route)
        else:
            route.fulfill(status=503 if "error" in body else 200, json=body)

    return answer


def as_viewer(page: Page, made: Installation) -> None:
    me = made.ask("GET", "/v1/me")
    projects = [{**one, "role": "viewer"} for one in me["projects"]] or [
        {"id": "default", "name": "Default", "role": "viewer"}
    ]
    told = {**me, "name": "minji", "administrator": False, "projects": projects}
    page.route(re.compile(r"/v1/me$"), lambda route: route.fulfill(json=told))


def opened(
    browser: Browser, made: Installation, signed_in: Any, language: Language, theme: Theme, size: str
) -> BrowserContext:
    width, height = SIZES[size]
    context = browser.new_context(
        base_url=made.url,
        viewport={"width": width, "height": height},
        device_scale_factor=1,
        storage_state=signed_in,
        locale="ko-KR" if language == "ko" else "en-GB",
    )
    context.add_init_script(
        f"localStorage.setItem('trainyard.language', '{language}'); localStorage.setItem('trainyard.theme', '{theme}');"
    )
    return context


def take(page: Page, shot: Shot, made: Installation, path: Path) -> str:
    """What went wrong; empty: nothing."""
    held = answer_in_its_place(page, shot.answers or {})
    if shot.viewer:
        as_viewer(page, made)
    trouble = ""
    try:
        page.goto(shot.address, wait_until="load")
        page.locator("main, form, h1, h2").first.wait_for()
        settle(page, waits=bool(shot.answers) and None in (shot.answers or {}).values())
        if shot.then is not None:
            shot.then(page)
            page.wait_for_timeout(500)
    except Error as error:
        trouble = f"{path.name}: {error.message.splitlines()[0]}"
    page.screenshot(path=path, animations="disabled")
    for route in held:
        route.abort()
    return trouble


def settle(page: Page, *, waits: bool) -> None:
    """Until what comes has come; where the answer is held back, a moment."""
    if not waits:
        page.wait_for_function("() => document.querySelector('.animate-pulse') === null")
    page.wait_for_timeout(400)


def sign_in(browser: Browser, made: Installation) -> Any:
    context = browser.new_context(base_url=made.url)
    page = context.new_page()
    page.goto(made.ask("POST", "/v1/auth/links")["url"])
    page.locator("#content").wait_for()
    state = context.storage_state()
    context.close()
    return state


def take_all(
    browser: Browser, made: Installation, out: Path, only: str, looks: list[tuple[Language, Theme, str]]
) -> None:
    signed_in = sign_in(browser, made)
    wanted = [shot for shot in shots(made) if shot.name.startswith(only)]
    out.mkdir(parents=True, exist_ok=True)
    for language, theme, size in looks:
        context = opened(browser, made, signed_in, language, theme, size)
        context.set_default_timeout(20_000)
        for shot in wanted:
            page = context.new_page()
            trouble = take(page, shot, made, out / f"{shot.name}.{language}.{theme}.{size}.png")
            page.close()
            if trouble:
                sys.stdout.write(f"{trouble}\n")
        context.close()
        sys.stdout.write(f"{len(wanted)} pictures: {language}, {theme}, {size}\n")
        sys.stdout.flush()


def readme(browser: Browser, made: Installation) -> None:
    """The list by day, a job by night."""
    signed_in = sign_in(browser, made)
    running = made.ask("GET", "/v1/jobs?state=RUNNING&sort=created&order=asc")["items"]
    job = running[0]["id"] if running else made.job(state="SUCCEEDED")
    pictures: list[tuple[str, Theme, str]] = [("jobs", "light", "/"), ("job", "dark", f"/jobs/{job}")]
    for name, theme, address in pictures:
        context = opened(browser, made, signed_in, "en", theme, "desk")
        path = ROOT / "docs" / f"{name}.png"
        trouble = take(context.new_page(), Shot(name, address), made, path)
        context.close()
        small_enough(path)
        if trouble:
            raise SystemExit(trouble)
        sys.stdout.write(f"{path}: {path.stat().st_size // 1000} kB\n")


def small_enough(path: Path) -> None:
    """A page has few colours: a palette of 256 of them is a third of the size, and looks the same."""
    from PIL import Image  # of the tests' packages

    with Image.open(path) as whole:
        whole.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path} has {path.stat().st_size} bytes, more than {MOST_BYTES}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=Path, help="folder for the pictures")
    parser.add_argument("--url", default=os.environ.get("TRAINYARD_URL", "http://127.0.0.1:8000"))
    parser.add_argument("--token", default=os.environ.get("TRAINYARD_TOKEN", ""))
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--only", default="", help="pages whose name begins so")
    parser.add_argument(
        "--quick", action="store_true", help="only English by day at a desk, Korean by night on a phone"
    )
    given = parser.parse_args()
    if not given.readme and given.out is None:
        parser.error("give a folder for the pictures, or --readme")
    made = Installation(given.url, given.token)
    every: list[tuple[Language, Theme, str]] = [
        (language, theme, size) for language in ("en", "ko") for theme in ("light", "dark") for size in SIZES
    ]
    few = (("en", "light", "desk"), ("ko", "dark", "phone"))
    looks = [look for look in every if look in few or not given.quick]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        if given.readme:
            readme(browser, made)
        else:
            take_all(browser, made, given.out, given.only, looks)
        browser.close()


if __name__ == "__main__":
    main()
