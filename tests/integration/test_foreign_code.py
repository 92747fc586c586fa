"""Checkpoints of code that somebody sent: only an administrator has them opened as the backend's own user."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import backends
from tests.integration.test_code import AWAY, end, send, some_code
from tests.real.backend import Backend
from tests.real.people import Person, signed_in
from tests.real.predicting import body, labels, put_checkpoint, trainers
from tests.real.s3server import S3Server
from trainyard.executors.bundle import File, bundle_folder


@pytest.fixture(scope="module")
def yard(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    folder = tmp_path_factory.mktemp("yard")
    (folder / "kubeconfig").write_text(AWAY)
    places = {f"k8s_{part}_url": f"http://{part}.test:1" for part in ("backend", "s3", "mlflow")}
    with backends(s3_server, folder) as make:
        settings = {"kubeconfig": str(folder / "kubeconfig"), "trainers_dir": str(trainers(folder)), **places}
        yield make(**settings).start().with_sample()


@pytest.fixture(scope="module")
def member(yard: Backend) -> Person:
    return signed_in(yard, "kim", default="member")


@pytest.fixture(scope="module")
def root(yard: Backend) -> Person:
    return signed_in(yard, "root", administrator=True)


def trained(yard: Backend, who: Person, **given: Any) -> str:
    """An ended job on the cluster, with a checkpoint."""
    wanted = {"framework": "probe", "dataset_id": "cats-dogs-classes", "execution": "k8s", **given}
    return ended(yard, who.ask("POST", "/v1/jobs", json=wanted))


def ended(yard: Backend, job: dict[str, Any]) -> str:
    end(yard, job)
    for kind in ("best", "last"):
        put_checkpoint(yard, job["id"], {"label": "opened"}, kind)
    return str(job["id"])


def sent(yard: Backend) -> str:
    """A trainer of somebody's own under the name of an installed one."""
    toml = (trainer_folder(yard) / "trainer.toml").read_bytes()
    bundle = some_code(File("trainer.toml", toml, False), File("train.py", b"", False))
    assert send(yard, bundle).status_code == 200
    return bundle.hash


def trainer_folder(yard: Backend) -> Path:
    return Path(yard.env["TRAINYARD_TRAINERS_DIR"]) / "trainer-probe"


def predict(who: Person, job_id: str) -> httpx2.Response:
    return who.call("POST", f"/v1/jobs/{job_id}/predict", json=body(), timeout=120)


def refusal(answer: httpx2.Response) -> str:
    assert answer.status_code == 403, answer.text
    return str(answer.json()["error"]["message"])


def test_only_an_administrator_has_a_strangers_checkpoint_opened_here(
    yard: Backend, member: Person, root: Person
) -> None:
    job_id = trained(yard, member, code=sent(yard))
    assert f"{job_id} ran code that was sent with it." in refusal(predict(member, job_id))
    for what in ("resume", "retry"):
        answer = member.call("POST", f"/v1/jobs/{job_id}/{what}", json={"execution": "local"})
        assert "this needs an administrator" in refusal(answer)
    assert labels(predict(root, job_id).json()) == ["opened"]
    resumed = root.call("POST", f"/v1/jobs/{job_id}/resume", json={"execution": "local"})
    assert resumed.status_code == 201, resumed.text
    yard.wait_end(resumed.json()["id"])


def test_it_stays_a_strangers_through_jobs_that_begin_with_it(yard: Backend, member: Person) -> None:
    """On the cluster it goes on, where it has no rights; what comes out may be anything, too."""
    job_id = trained(yard, member, code=sent(yard))
    again = ended(yard, member.ask("POST", f"/v1/jobs/{job_id}/resume", json={}))
    image = ended(yard, member.ask("POST", f"/v1/jobs/{job_id}/resume", json={"execution": "image"}))
    assert yard.job(image)["code_hash"] is None
    third = ended(yard, member.ask("POST", f"/v1/jobs/{image}/retry", json={}))
    for one in (again, image, third):
        refusal(predict(member, one))
        refusal(member.call("POST", f"/v1/jobs/{one}/resume", json={"execution": "local"}))
    assert f"{image} began with what {job_id} had learnt." in refusal(predict(member, image))


def test_an_image_of_ones_own_is_a_strangers_too(yard: Backend, member: Person) -> None:
    for tier in ("k8s", "image"):
        job_id = trained(yard, member, execution=tier, resources={"image": "ghcr.io/me/probe:1"})
        assert "an image of its own" in refusal(predict(member, job_id))


def test_what_ran_the_installed_trainer_is_a_members_also_after_that_was_changed(yard: Backend, member: Person) -> None:
    folder = trainer_folder(yard)
    as_sent = send(yard, bundle_folder(folder)).json()["hash"]
    taken, same = trained(yard, member), trained(yard, member, code=as_sent)
    assert same.startswith("dev-")
    for job_id in (taken, same):
        assert labels(predict(member, job_id).json()) == ["opened"]
    with (folder / "train.py").open("a") as file:
        file.write("# changed\n")
    assert labels(predict(member, taken).json()) == ["opened"]
    refusal(predict(member, same))
    resumed = member.call("POST", f"/v1/jobs/{taken}/resume", json={"execution": "local"})
    assert resumed.status_code == 201, resumed.text
    yard.wait_end(resumed.json()["id"])
