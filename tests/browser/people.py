"""People before a browser: each signed in in their own way, with nothing of another's in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, ViewportSize

from tests.real.backend import Backend

PATIENCE_MS = 60_000  # a machine may be busy
DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}


class Visitor:
    """One browser profile at one backend."""

    def __init__(self, browser: Browser, backend: Backend, *, language: str = "en", **context: Any) -> None:
        self.backend = backend
        options = {"locale": "ko-KR" if language == "ko" else "en-GB", "viewport": DESK}
        self.context = browser.new_context(base_url=backend.url, **{**options, **context})
        self.context.set_default_timeout(PATIENCE_MS)
        self.problems: list[str] = []
        self.page = self.tab()

    def tab(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.problems.append(f"the page broke: {error}"))
        page.on("console", self._heard)
        page.on("dialog", self._asked)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        # what the server answered is for the test to judge; what the policy refused or React complains of never is
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(message.text)

    def _asked(self, dialog: Dialog) -> None:
        """The page has windows of its own: one of the browser's was opened by something else."""
        self.problems.append(f"a dialog of the browser: {dialog.message}")
        dialog.dismiss()

    def with_link(self, user: str | None = None) -> "Visitor":
        """Signed in by a one-time link, as `trainyard up` prints it."""
        link = self.backend.ask("POST", "/v1/auth/links", json={"user": user} if user else None)
        self.page.goto(link["url"])
        self.page.locator("#content").wait_for()
        return self

    def with_password(self, name: str, password: str) -> "Visitor":
        self.page.goto("/")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.locator("#content").wait_for()
        return self


Visit = Callable[..., Visitor]
MakeOne = Callable[..., Backend]


@contextmanager
def visitors(browser: Browser) -> Iterator[Visit]:
    """Makes visitors, signed in as the administrator unless `link=False`; what went wrong in a page fails the test."""
    made: list[Visitor] = []

    def visit(backend: Backend, *, link: bool = True, **context: Any) -> Visitor:
        visitor = Visitor(browser, backend, **context)
        made.append(visitor)
        return visitor.with_link() if link else visitor

    try:
        yield visit
    finally:
        for visitor in made:
            visitor.context.close()
    problems = [problem for visitor in made for problem in visitor.problems]
    assert not problems, problems
