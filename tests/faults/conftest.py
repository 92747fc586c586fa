"""One yard a database for all fault tests: starting one takes longer than most faults."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.conftest import running_mlflow
from tests.faults.real_trainers import Workshop
from tests.faults.yard import Yard
from tests.real.postgres import fresh_database
from tests.real.s3server import S3Server, own_bucket


@contextmanager
def running_yard(s3_server: S3Server, folder: Path, **settings: str) -> Generator[Yard]:
    with own_bucket(s3_server, folder) as s3:
        yard = Yard(folder, s3, **settings)
        try:
            yard.start().with_sample()
            yield yard
        finally:
            yard.tidy()


@pytest.fixture(scope="package")
def sqlite_yard(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with running_yard(s3_server, tmp_path_factory.mktemp("yard")) as yard:
        yield yard


@pytest.fixture(scope="package")
def postgresql_yard(s3_server: S3Server, postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with (
        fresh_database(postgres_url) as url,
        running_yard(s3_server, tmp_path_factory.mktemp("yard"), database_url=url) as yard,
    ):
        yield yard


@pytest.fixture
def yard(sqlite_yard: Yard) -> Yard:
    """A running backend on SQLite, idle."""
    return sqlite_yard.make_ready()


@pytest.fixture(params=["sqlite", "postgresql"])
def yard_on(request: pytest.FixtureRequest) -> Yard:
    """A running backend on each of the two databases, idle."""
    found: Yard = request.getfixturevalue(f"{request.param}_yard")
    return found.make_ready()


@pytest.fixture(scope="package")
def mlflow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_mlflow(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@contextmanager
def running_workshop(
    s3_server: S3Server, folder: Path, mlflow_url: str, before: str = "", **settings: str
) -> Generator[Workshop]:
    with own_bucket(s3_server, folder) as s3:
        workshop = Workshop(folder, s3, mlflow_url, **settings)
        try:
            workshop.start(before=before).with_sample()
            yield workshop
        finally:
            workshop.tidy()


@pytest.fixture(scope="package")
def one_workshop(s3_server: S3Server, mlflow_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    before = "import trainyard.jobs.reconcile\ntrainyard.jobs.reconcile.ARCHIVE_RETRY_SECONDS = 1.0\n"
    with running_workshop(s3_server, tmp_path_factory.mktemp("workshop"), mlflow_url, before) as workshop:
        yield workshop


@pytest.fixture
def workshop(one_workshop: Workshop) -> Workshop:
    """A running backend with real trainers and a real MLflow, idle."""
    one_workshop.make_ready()
    return one_workshop
