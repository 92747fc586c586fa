"""Real services for every suite: one of each a session, a fresh database and backend a test."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.real.backend import Backend
from tests.real.postgres import fresh_database, running_postgres
from tests.real.s3server import S3Server, own_bucket, running_s3


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The same test on both databases."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
    else:
        with fresh_database(request.getfixturevalue("postgres_url")) as url:
            yield url


@contextmanager
def backends(s3_server: S3Server, folder: Path) -> Iterator[Callable[..., Backend]]:
    """Backends in a folder, each with a bucket of its own, not started yet; everything is ended and removed after."""
    with ExitStack() as after:

        def make(**settings: str) -> Backend:
            place = folder / secrets.token_hex(4)
            place.mkdir()
            backend = Backend(place, after.enter_context(own_bucket(s3_server, place)), **settings)
            after.callback(backend.tidy)
            return backend

        yield make


@pytest.fixture
def make_backend(s3_server: S3Server, tmp_path: Path) -> Iterator[Callable[..., Backend]]:
    """Backends with settings of one's own, not started yet."""
    with backends(s3_server, tmp_path) as make:
        yield make


@pytest.fixture
def backend(make_backend: Callable[..., Backend]) -> Backend:
    """A running backend on SQLite, with the classification sample."""
    return make_backend().start().with_sample()


@pytest.fixture
def backend_on(make_backend: Callable[..., Backend], database_url: str) -> Backend:
    """The same, on each of the two databases."""
    return make_backend(database_url=database_url).start().with_sample()


@pytest.fixture(scope="module")
def shared(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """One running backend for a whole file, for tests that don't mind each other."""
    with backends(s3_server, tmp_path_factory.mktemp("shared")) as make:
        yield make().start().with_sample()
