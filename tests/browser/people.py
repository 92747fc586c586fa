"""People before a browser: each signed in in their own way, with nothing of another's in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.real.backend import Backend


class Visitor:
    """One browser profile at one backend."""

    def __init__(self, browser: Browser, backend: Backend, *, language: str = "en", **context: Any) -> None:
        self.backend = backend
        options = {"locale": "ko-KR" if language == "ko" else "en-GB", "viewport": {"width": 1280, "height": 800}}
        self.context = browser.new_context(base_url=backend.url, **{**options, **context})
        self.context.set_default_timeout(15_000)
        self.problems: list[str] = []
        self.page = self.tab()

    def tab(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.problems.append(f"the page broke: {error}"))
        page.on("console", self._heard)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        # what the server answered is for the test to judge; what the policy refused or React complains of never is
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(message.text)

    def with_link(self, user: str | None = None) -> "Visitor":
        """Signed in by a one-time link, as `trainyard up` prints it."""
        link = self.backend.ask("POST", "/v1/auth/links", json={"user": user} if user else None)
        self.page.goto(link["url"])
        self.page.get_by_role("navigation").wait_for()
        return self

    def with_password(self, name: str, password: str) -> "Visitor":
        self.page.goto("/")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("navigation").wait_for()
        return self


@contextmanager
def visitors(browser: Browser) -> Iterator[Callable[..., Visitor]]:
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
