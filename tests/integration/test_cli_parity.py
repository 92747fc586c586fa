"""`trainyard parity` against a real backend: equal runs are equal, and each planted difference is shown."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from tests.conftest import backends
from tests.contract import pictures
from tests.real.backend import Backend
from tests.real.s3server import S3Server
from tests.real.shell import Said, Shell, ends
from tests.real.telling import change, telling_trainer

PICTURES = "cats-dogs-classes"


@pytest.fixture(scope="module")
def shared(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """One for the file; each test has a trainer of its own in it."""
    folder = tmp_path_factory.mktemp("parity")
    (folder / "trainers").mkdir()
    with backends(s3_server, folder) as make:
        yield make(trainers_dir=str(folder / "trainers")).start().with_sample()


@dataclass(frozen=True)
class Trainer:
    """A trainer that a test may edit, and the shell of who uses it."""

    folder: Path
    shell: Shell

    @property
    def name(self) -> str:
        return self.folder.name.removeprefix("trainer-")

    def submit(self, **params: Any) -> str:
        body = {"framework": self.name, "dataset_id": PICTURES, "params": params}
        return str(self.shell.backend.ask("POST", "/v1/jobs", json=body)["id"])

    def train(self, **params: Any) -> str:
        job_id = self.submit(**params)
        assert self.shell.backend.wait_end(job_id)["state"] == "SUCCEEDED"
        return job_id

    def parity(self, *arguments: str, code: int = 0) -> Said:
        return self.shell.run("parity", *arguments, code=code)

    def newest(self) -> dict[str, Any]:
        return self.shell.newest()


@pytest.fixture
def trainer(shared: Backend, tmp_path: Path) -> Trainer:
    trainers = Path(shared.env["TRAINYARD_TRAINERS_DIR"])
    return Trainer(telling_trainer(trainers, f"t{token_hex(4)}"), Shell(shared, tmp_path))


def compared(trainer: Trainer, *arguments: str) -> dict[str, dict[str, list[str]]]:
    """{group: {what: values}} of what differs."""
    document = json.loads(trainer.parity(*arguments, "--json", code=1).out)
    assert document["equal"] is False
    found: dict[str, dict[str, list[str]]] = {}
    for one in document["differences"]:
        found.setdefault(one["group"], {})[one["what"]] = list(one["values"].values())
    return found


def test_a_job_run_again_is_the_same(trainer: Trainer) -> None:
    first = trainer.train(seed=3)
    said = trainer.parity(first, "--on", "local")
    again = trainer.newest()
    assert (again["parent_id"], again["execution"]) == (first, "local")
    assert again["params"] == {"epochs": 2, "seed": 3, "learning_rate": 0.1}
    assert said.out.strip() == f"No difference between {first} and {again['id']}."
    assert f"local  {again['id']}  SUCCEEDED" in said.err
    assert "could not be compared" not in said.err


def test_tiers_that_cannot_be_had_are_left_out_unless_they_are_named(trainer: Trainer) -> None:
    first = trainer.train()
    before = trainer.shell.jobs()
    assert "Without k8s" in trainer.parity(first).err
    assert trainer.shell.jobs() == before + 1
    assert "Error:" in trainer.parity(first, "--on", "local,k8s", code=1).err
    trainer.shell.backend.wait_state(trainer.newest()["id"], "CANCELLED", "SUCCEEDED")
    assert "There is no tier" in trainer.parity(first, "--on", "moon", code=2).err


def test_another_seed_shows_in_parameters_variables_and_metrics(trainer: Trainer) -> None:
    found = compared(trainer, trainer.train(), trainer.train(seed=2))
    assert found["parameters"] == {"seed": ["1", "2"]}
    assert found["variables"] == {"SEED": ["1", "2"]}
    assert found.keys() == {"parameters", "variables", "metrics"}
    assert [what.partition(",")[0] for what in found["metrics"]] == ["val/loss"]


def test_an_edit_of_the_code_shows_in_its_hash_and_in_what_it_does(trainer: Trainer) -> None:
    before = trainer.train()
    change(trainer.folder / "train.py", "* (1 + rate)", "* (2 + rate)")
    change(trainer.folder / "train.py", 'type="running")\n', 'type="running")\ncall("event", type="edited")\n')
    found = compared(trainer, before, trainer.train())
    assert found.keys() == {"code", "events", "metrics"}
    assert len(set(found["code"]["hash"])) == 2
    assert found["events"]["of the trainer"] == [
        "running, 2 x validation, done",
        "running, edited, 2 x validation, done",
    ]


def test_packages_that_differ_are_shown(trainer: Trainer) -> None:
    before = trainer.train()
    (trainer.folder / "planted-1.2.3.dist-info").mkdir()  # beside train.py, where Python looks first
    (trainer.folder / "planted-1.2.3.dist-info" / "METADATA").write_text("Name: planted\n")
    found = compared(trainer, before, trainer.train())
    assert found["packages"] == {"planted": ["—", "1.2.3"]}
    assert found.keys() == {"packages", "code"}


def test_another_dataset_under_the_same_id_shows(trainer: Trainer, tmp_path: Path) -> None:
    before = trainer.train()
    backend = trainer.shell.backend
    was = backend.ask("GET", f"/v1/datasets/{PICTURES}")["sha256"]
    backend.ask("DELETE", f"/v1/datasets/{PICTURES}")
    trainer.shell.run("datasets", "add", str(pictures.class_folders(tmp_path / "other.zip")), "--id", PICTURES)
    now = backend.ask("GET", f"/v1/datasets/{PICTURES}")["sha256"]
    assert was != now
    assert compared(trainer, before, trainer.train()) == {"dataset": {"sha256": [was[:12], now[:12]]}}


def test_the_tolerance_decides_which_metrics_are_the_same(trainer: Trainer) -> None:
    runs = trainer.train(), trainer.train(learning_rate=0.1000001)
    assert "metrics" in compared(trainer, *runs, "--tolerance", "1e-12")
    assert "metrics" not in compared(trainer, *runs, "--tolerance", "0.01")


def test_a_table_shows_the_differences_only(trainer: Trainer) -> None:
    runs = trainer.train(), trainer.train(epochs=3)
    lines = trainer.parity(*runs, code=1).out.splitlines()
    assert all(run in lines[0] for run in runs)
    assert any(line.split() == ["variables", "EPOCHS", "2", "3"] for line in lines), lines
    assert any("val/loss, epochs" in line and "1-2" in line and "1-3" in line for line in lines), lines
    assert not any("SEED" in line for line in lines)


def test_what_has_not_ended_is_not_compared(trainer: Trainer) -> None:
    ended, running = trainer.train(), trainer.submit(epochs=10**6)
    assert "has not ended yet" in trainer.parity(ended, running, code=1).err
    assert "has not ended yet" in trainer.parity(running, "--on", "local", code=1).err
    trainer.shell.run("cancel", running)
    trainer.shell.backend.wait_end(running)
    assert "--on" in trainer.parity(ended, running, "--on", "local", code=2).err


def test_ctrl_c_leaves_the_runs_running_and_says_how_to_compare_them(trainer: Trainer) -> None:
    parent = trainer.submit(epochs=10**6)
    trainer.shell.backend.wait_state(parent, "RUNNING")
    trainer.shell.run("cancel", parent)
    trainer.shell.backend.wait_end(parent)
    terminal = trainer.shell.terminal("parity", parent, "--on", "local")
    terminal.expect("RUNNING epoch")
    terminal.sendintr()
    code, said = ends(terminal)
    child = trainer.newest()["id"]
    assert code == 130
    assert child in said
    assert trainer.shell.backend.job(child)["state"] == "RUNNING"
    trainer.shell.run("cancel", child)
    trainer.shell.backend.wait_end(child)


def test_the_api_tells_the_surroundings_and_leaves_empty_what_nobody_told(trainer: Trainer) -> None:
    backend = trainer.shell.backend
    change(trainer.folder / "train.py", 'call("event", type="environment", data=surroundings.collect())\n', "")
    told = backend.ask("GET", f"/v1/jobs/{trainer.train()}/surroundings")
    assert told["environment"] is None
    assert (told["image"], told["dataset_id"], told["execution"]) == (None, PICTURES, "local")
    assert len(told["code_hash"]) == len(told["dataset_sha256"]) == 64
    assert backend.http.get("/v1/jobs/job-20000101-000000-none/surroundings").status_code == 404


def test_a_trainer_may_send_anything_by_these_names(trainer: Trainer) -> None:
    sent = 'data={"packages": 7, "variables": [1]})\ncall("event", type="launched", data={"code_hash": 5})'
    change(trainer.folder / "train.py", "data=surroundings.collect())", sent)
    first = trainer.train()
    hash = trainer.shell.backend.ask("GET", f"/v1/jobs/{first}/surroundings")["code_hash"]
    assert hash is None or len(hash) == 64  # whichever of the two events came last
    trainer.parity(first, trainer.train())
