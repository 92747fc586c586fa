"""One real S3 server and one real MLflow for all checks of a session; broken trainers are judged a few at a time."""

import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conformance.broken import BROKEN, make_copy
from tests.contract.conftest import environment
from trainyard.conformance.clauses import CLAUSES
from trainyard.conformance.kit import check, running_services
from trainyard.conformance.run import Stage
from trainyard.conformance.services import Services
from trainyard.conformance.subject import find_subject
from trainyard.conformance.timing import Timing
from trainyard.conformance.verdict import Verdict
from trainyard.executors.local.envs import system_python
from trainyard.settings import Settings
from trainyard.stack.step_3_mlflow import LOCK

# what is waited for is generous: four checks at a time may leave a trainer without the CPU for seconds
QUICK = Timing(away=3, hold=5, silence=20, slow=5, run=100, start=60, grace=25, pace=20)
AT_A_TIME = 4


@pytest.fixture(scope="session")
def mlflow_environment() -> Path:
    """The environment of the stack's MLflow, as the stack would have made it."""
    folder = environment(LOCK).parents[1]
    (folder / "trainyard-lock").write_bytes(LOCK.read_bytes())
    return folder


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory, mlflow_environment: Path) -> Iterator[Services]:
    with running_services(tmp_path_factory.mktemp("services"), mlflow_environment) as running:
        yield running


def judge_plain(services: Services, folder: Path, clause: str | None) -> dict[str, Verdict]:
    """Every clause's verdict on a trainer-plain, broken for this clause where one is named."""
    copy = make_copy(folder, BROKEN[clause] if clause else [])
    small = {"image_size": "8"}
    subject = find_subject(
        copy, Settings(), task=None, model=None, python=system_python(), assignments=small, say=print
    )
    verdicts, _ = check(Stage(subject, services, QUICK, folder / "runs"), CLAUSES, 4, lambda _: None)
    return {verdict.clause.id: verdict for verdict in verdicts}


@pytest.fixture(scope="session")
def judged(
    request: pytest.FixtureRequest, services: Services, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[dict[str, Verdict]]]]:
    """By clause, what came of checking the trainer that is broken for it: all that this session will ask for."""
    wanted = [item.callspec.params["clause"] for item in request.session.items if "judged" in item.fixturenames]
    folder = tmp_path_factory.mktemp("broken")
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {name: pool.submit(judge_plain, services, folder / name, name) for name in wanted}
        pool.shutdown(cancel_futures=True)
    shutil.rmtree(folder)
