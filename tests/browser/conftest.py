"""A real browser before a real backend: Debian's Chromium, the page as it is built, jobs that really train."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.people import PATIENCE_MS, MakeOne, Visit, Visitor, visitors
from tests.conftest import backends
from tests.contract.conftest import environment
from tests.page.frontend import run
from tests.real import predicting
from tests.real.backend import TESTS, Backend
from tests.real.s3server import S3Server

ROOT = TESTS.parent


@pytest.fixture(scope="session", autouse=True)
def built_page() -> None:
    """Backends of this checkout serve what lies in src/trainyard/page."""
    done = run("build")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory, trainers: Path) -> Iterator[Backend]:
    """One running backend for the whole suite: starting one takes longer than most of its tests."""
    with backends(s3_server, tmp_path_factory.mktemp("shared")) as make:
        yield make(trainers_dir=str(trainers), silence_seconds="600").start().with_sample()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Visitors with a browser profile of their own each; a page that broke or broke its policy fails the test."""
    with visitors(browser) as visit:
        yield visit


@pytest.fixture
def page(visit: Visit, shared: Backend) -> Page:
    """The administrator's page at the shared backend, in English."""
    return visit(shared).page


@pytest.fixture(scope="module")
def reader(browser: Browser, shared: Backend) -> Iterator[Visitor]:
    """One administrator for a whole file that only looks."""
    with visitors(browser) as visit:
        yield visit(shared)


@pytest.fixture(scope="module")
def make_one(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeOne]:
    """Backends for a whole file, with settings of its own, not started yet."""
    with backends(s3_server, tmp_path_factory.mktemp("own")) as make:
        yield make


@pytest.fixture(scope="session")
def trainers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trainer that learns pictures within seconds, with its environment, and the tests' own."""
    folder = predicting.trainers(tmp_path_factory.mktemp("trainers"))
    sklearn = ROOT / "trainer-sklearn"
    (folder / sklearn.name).symlink_to(sklearn)
    (folder / "venv-sklearn").symlink_to(environment(sklearn / "requirements.txt").parents[1])
    return folder
