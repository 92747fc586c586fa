"""Real services for every suite: one of each a session, a fresh database and backend a test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.backend import Backend
from tests.real.postgres import fresh_database, running_postgres
from tests.real.s3server import S3Server, running_s3
from trainyard.storage.store import Store


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


def backend_for(s3_server: S3Server, folder: Path, **settings: str) -> Backend:
    """A backend in `folder`, with a bucket of its own; not started yet."""
    store = s3_server.settings(folder / "data")
    Store.from_settings(store).ensure_bucket()
    access_key, secret_key = store.s3_keys
    s3 = {
        "TRAINYARD_S3_ENDPOINT": store.s3_endpoint,
        "TRAINYARD_S3_ACCESS_KEY": access_key,
        "TRAINYARD_S3_SECRET_KEY": secret_key,
        "TRAINYARD_S3_BUCKET": store.s3_bucket,
    }
    return Backend(folder, s3, **settings)


@pytest.fixture
def make_backend(s3_server: S3Server, tmp_path: Path) -> Iterator[Callable[..., Backend]]:
    """Backends with settings of one's own, not started yet."""
    made: list[Backend] = []

    def make(**settings: str) -> Backend:
        folder = tmp_path / f"backend-{len(made)}"
        folder.mkdir()
        made.append(backend_for(s3_server, folder, **settings))
        return made[-1]

    yield make
    for backend in made:
        backend.tidy()


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
    backend = backend_for(s3_server, tmp_path_factory.mktemp("shared")).start().with_sample()
    yield backend
    backend.tidy()
