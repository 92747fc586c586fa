"""One cluster a session, a namespace a test; nothing of ours may be left in it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex

import pytest

from tests.kubernetes.yard import EVERYWHERE, ClusterYard, cluster_yard
from tests.real.cluster import Cluster, OwnNamespace, assert_nothing_left, connect, own_namespace, trainer_image
from tests.real.s3server import S3Server, own_bucket, running_s3
from tests.real.testkube.places import what_is_missing


@pytest.fixture(scope="session")
def whole_cluster() -> Cluster:
    """The cluster itself, in its namespace `default`."""
    missing = what_is_missing()
    if missing:
        pytest.skip(f"needs {missing}")
    return connect()


@pytest.fixture
def cluster(whole_cluster: Cluster) -> Iterator[OwnNamespace]:
    """A fresh namespace with our client in it: `.api`, `.kubectl(...)`, `.namespace`, `.settings(...)`."""
    with own_namespace(whole_cluster) as space:
        yield space


@pytest.fixture(scope="session")
def s3_server(whole_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """In this suite one that pods reach, too."""
    with running_s3(tmp_path_factory.mktemp("s3"), EVERYWHERE) as server:
        yield server


@pytest.fixture(scope="session")
def sklearn_image(whole_cluster: Cluster) -> str:
    """An image in the cluster with Python and what trainer-sklearn requires, without its code."""
    return trainer_image("sklearn", with_code=False)


@pytest.fixture(scope="session")
def sklearn_trainer_image(whole_cluster: Cluster) -> str:
    """The same as trainer-sklearn's Dockerfile makes it: with its code, which it runs."""
    return trainer_image("sklearn", with_code=True)


@pytest.fixture
def make_yard(
    cluster: OwnNamespace, s3_server: S3Server, sklearn_image: str, tmp_path: Path
) -> Iterator[Callable[..., ClusterYard]]:
    """Backends with settings of one's own, running; their jobs go to the test's namespace."""
    with ExitStack() as after:

        def make(**settings: str) -> ClusterYard:
            folder = tmp_path / f"yard-{token_hex(4)}"
            folder.mkdir()
            s3 = after.enter_context(own_bucket(s3_server, folder))
            return after.enter_context(cluster_yard(folder, s3, cluster, sklearn_image, **settings))

        yield make


@pytest.fixture(scope="session")
def one_yard(
    whole_cluster: Cluster, s3_server: S3Server, sklearn_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ClusterYard]:
    folder = tmp_path_factory.mktemp("yard")
    with (
        own_namespace(whole_cluster) as space,
        own_bucket(s3_server, folder) as s3,
        cluster_yard(folder, s3, space, sklearn_image) as yard,
    ):
        yield yard


@pytest.fixture
def yard(one_yard: ClusterYard) -> Iterator[ClusterYard]:
    """A running backend on SQLite, idle, whose jobs run in the cluster; its trainers are those of tests/trainers. After
    each test nothing of any job may be left in the cluster."""
    yield one_yard.make_ready()
    one_yard.close_all()
    assert_nothing_left(one_yard.cluster)
