"""A real browser before a real backend: Debian's Chromium, the page as it is built, jobs that really train."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.people import Visitor, visitors
from tests.page.frontend import run
from tests.real.backend import Backend


@pytest.fixture(scope="session", autouse=True)
def built_page() -> None:
    """Backends of this checkout serve what lies in src/trainyard/page."""
    done = run("build")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Visitors with a browser profile of their own each; a page that broke or broke its policy fails the test."""
    with visitors(browser) as visit:
        yield visit


@pytest.fixture
def page(visit: Callable[..., Visitor], shared: Backend) -> Page:
    """The administrator's page at the file's shared backend, in English."""
    return visit(shared).page
