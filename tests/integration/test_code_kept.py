"""The code of local runs: kept as it was when they started, whatever becomes of the folder or the store."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.backend import TESTS, Backend, wait_for
from tests.real.telling import change
from trainyard.callbacks.token import Tokens
from trainyard.errors import NotFound
from trainyard.executors.bundle import Bundle, bundle_folder
from trainyard.executors.codestore import CodeStore
from trainyard.jobs.keeping import CodeKeeper
from trainyard.settings import load_settings
from trainyard.storage.store import Store

PROBE = TESTS / "trainers" / "trainer-probe"


@pytest.fixture
def edited(make_backend: Callable[..., Backend], tmp_path: Path) -> tuple[Backend, Path]:
    """A backend whose probe is a copy of the test's own."""
    folder = tmp_path / "trainers" / "trainer-probe"
    shutil.copytree(PROBE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return make_backend(trainers_dir=str(folder.parent)).start().with_sample(), folder


def hash_of(backend: Backend, job_id: str) -> str:
    return str(wait_for("the hash", lambda: backend.ask("GET", f"/v1/jobs/{job_id}/surroundings").get("code_hash")))


def file_of(backend: Backend, code: str, path: str) -> str:
    def look() -> str | None:
        answer = backend.http.get(f"/v1/code/{code}/file", params={"path": path})
        return answer.text if answer.status_code == 200 else None

    return wait_for(f"{path} of the code", look)


def test_each_local_run_shows_the_code_it_was_started_with(edited: tuple[Backend, Path]) -> None:
    backend, folder = edited
    as_it_was = (folder / "train.py").read_text()
    first = backend.submit(epochs=1)
    assert backend.wait_end(first)["state"] == "SUCCEEDED"
    change(
        folder / "train.py",
        '"""A trainer for tests, without our code',
        '"""Changed: a trainer for tests, without our code',
    )
    second = backend.submit(epochs=1)
    assert backend.wait_end(second)["state"] == "SUCCEEDED"
    before, after = hash_of(backend, first), hash_of(backend, second)
    assert after == bundle_folder(folder).hash != before
    assert file_of(backend, before, "train.py") == as_it_was
    assert file_of(backend, after, "train.py") == (folder / "train.py").read_text()
    assert {file["path"] for file in backend.ask("GET", f"/v1/code/{before}")["files"]} >= {"train.py", "trainer.toml"}


def test_a_run_cannot_pass_other_code_off_as_its_own(backend: Backend) -> None:
    """Whoever sees a job sees the code it ran: a run that names another's would show that."""
    job_id = backend.submit(epochs=10_000)
    backend.wait_state(job_id, "RUNNING")
    assert hash_of(backend, job_id) == bundle_folder(PROBE).hash
    key = (backend.folder / "data" / "secrets" / "signing_key").read_text()
    headers = {"Authorization": f"Bearer {Tokens(key, 3600).sign(job_id, 1)}"}
    lie = {"attempt": 1, "seq": 10**9, "type": "launched", "data": {"code_hash": "e" * 64, "dataset_sha256": "e" * 64}}
    answer = backend.http.post(f"/v1/jobs/{job_id}/event", json=lie, headers=headers)
    assert answer.status_code == 200, answer.text
    wait_for("the lie to be kept", lambda: sum(one["type"] == "launched" for one in backend.events(job_id)) == 2)
    told = backend.ask("GET", f"/v1/jobs/{job_id}/surroundings")
    assert told["code_hash"] == bundle_folder(PROBE).hash
    assert told["dataset_sha256"] not in (None, "e" * 64)
    backend.ask("POST", f"/v1/jobs/{job_id}/cancel")
    backend.wait_end(job_id)


def test_a_store_that_is_away_holds_nothing_up_and_the_next_run_keeps_the_code(
    s3_server: object, backend: Backend, tmp_path: Path
) -> None:
    given = {name.removeprefix("TRAINYARD_").lower(): value for name, value in backend.env.items() if "_S3_" in name}
    here = load_settings(_env_file=None, data_dir=tmp_path, **given)
    away = here.model_copy(update={"s3_endpoint": "http://127.0.0.1:9"})
    bundle = bundle_folder(PROBE)
    kept = threading.Event()

    class Held(CodeStore):
        """Is asked at once, and answers once `keep` has returned."""

        def put(self, bundle: Bundle) -> str:
            assert kept.wait(60)
            return super().put(bundle)

    keeper = CodeKeeper(Held(Store.from_settings(away)))
    keeper.keep(bundle)
    kept.set()
    keeper.close()
    codes = CodeStore(Store.from_settings(here))
    with pytest.raises(NotFound):
        codes.get(bundle.hash)
    again = CodeKeeper(codes)
    again.keep(bundle)
    again.keep(bundle)
    again.close()
    assert CodeStore(Store.from_settings(here)).get(bundle.hash).files == bundle.files
