"""Code on its way to a cluster: into the store whole and checked, named by jobs, the same for whatever follows them.

The cluster is one that doesn't answer: what is sent there, and what becomes of it, is for tests/kubernetes.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import backends
from tests.real.backend import TESTS, Backend
from tests.real.s3server import S3Server
from tests.real.shell import Shell
from tests.real.stored import store_of
from trainyard.contract.keys import code_key
from trainyard.errors import InvalidInput, NotFound
from trainyard.executors.bundle import Bundle, File, bundle_folder, make_bundle
from trainyard.executors.codestore import CodeStore

PROBE = TESTS / "trainers" / "trainer-probe"
AWAY = """
apiVersion: v1
kind: Config
clusters: [{name: away, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: me, user: {token: t}}]
contexts: [{name: away, context: {cluster: away, user: me, namespace: default}}]
current-context: away
"""


@pytest.fixture(scope="module")
def clustered(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    folder = tmp_path_factory.mktemp("clustered")
    (folder / "kubeconfig").write_text(AWAY)
    places = {f"k8s_{part}_url": f"http://{part}.test:1" for part in ("backend", "s3", "mlflow")}
    with backends(s3_server, folder) as make:
        yield make(kubeconfig=str(folder / "kubeconfig"), **places).start().with_sample()


@pytest.fixture
def shell(clustered: Backend, tmp_path: Path) -> Shell:
    return Shell(clustered, tmp_path)


def some_code(*more: File) -> Bundle:
    """Never the same twice: tests of one backend don't meet."""
    return make_bundle([File("mine.py", f"print('{secrets.token_hex(8)}')\n".encode(), False), *more])


def send(backend: Backend, bundle: Bundle, body: bytes | None = None) -> Any:
    headers = {"Content-Type": "application/zip"}
    return backend.http.put(f"/v1/code/{bundle.hash}", content=body or bundle.archive(), headers=headers)


def submit(backend: Backend, **given: Any) -> Any:
    body = {"framework": "probe", "dataset_id": "cats-dogs-classes", "execution": "k8s", **given}
    return backend.http.post("/v1/jobs", json=body)


def accepted(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def refused(answer: Any) -> tuple[int, str | None, str]:
    error = answer.json()["error"]
    return answer.status_code, error["field"], f"{error['message']} {error['hint']}"


def end(backend: Backend, job: dict[str, Any]) -> None:
    backend.ask("POST", f"/v1/jobs/{job['id']}/cancel")
    backend.wait_state(job["id"], "CANCELLED")


# -- routes -----------------------------------------------------------------------------------------------------------


def test_code_is_kept_once_and_shown(clustered: Backend) -> None:
    bundle = some_code(File("sub/한글.sh", b"#!/bin/sh\n", True), File("raw.bin", b"\xff\x00", False))
    shown = {
        "hash": bundle.hash,
        "bytes": bundle.size,
        "files": [
            {"path": "mine.py", "bytes": 26, "executable": False},
            {"path": "raw.bin", "bytes": 2, "executable": False},
            {"path": "sub/한글.sh", "bytes": 10, "executable": True},
        ],
    }
    assert clustered.http.get(f"/v1/code/{bundle.hash}").status_code == 404
    for _ in range(2):
        answer = send(clustered, bundle)
        assert (answer.status_code, answer.json()) == (200, shown)
    assert clustered.ask("GET", f"/v1/code/{bundle.hash}") == shown
    assert b"".join(store_of(clustered).open_read(code_key(bundle.hash))) == bundle.archive()
    text = clustered.http.get(f"/v1/code/{bundle.hash}/file", params={"path": "sub/한글.sh"})
    assert (text.text, text.headers["content-type"]) == ("#!/bin/sh\n", "text/plain; charset=utf-8")
    for path, status in (("gone.py", 404), ("../mine.py", 404), ("raw.bin", 422)):
        assert clustered.http.get(f"/v1/code/{bundle.hash}/file", params={"path": path}).status_code == status


def test_what_is_not_that_code_is_refused_and_not_kept(clustered: Backend) -> None:
    bundle, hidden = some_code(), some_code(File(".env", b"KEY=1", False))
    status, field, words = refused(send(clustered, bundle, some_code().archive()))
    assert (status, field) == (422, "hash")
    assert "The archive holds other code" in words
    assert "hidden files never travel" in refused(send(clustered, hidden))[2]
    assert "no complete zip" in refused(send(clustered, bundle, b"hello"))[2]
    for path in (bundle.hash[:-1], bundle.hash.upper(), "..%2f..%2fjobs"):
        answer = clustered.http.put(f"/v1/code/{path}", content=b"x", headers={"Content-Type": "application/zip"})
        assert answer.status_code in (404, 413, 422), path
    stored = {one.key for one in store_of(clustered).list("code/")}
    assert not stored & {code_key(bundle.hash), code_key(hidden.hash)}
    assert not list((clustered.folder / "data" / "spool").iterdir())


def test_more_than_a_bundle_is_refused_while_it_arrives(clustered: Backend) -> None:
    """Beyond the limit of other requests (8 MiB) up to its own; also where its length is not told."""
    large = make_bundle([File("large.py", b"#" * (9 << 20), False)])
    assert send(clustered, large).status_code == 200

    def pieces() -> Iterator[bytes]:
        for _ in range(73):
            yield bytes(1 << 20)

    headers = {"Content-Type": "application/zip"}
    assert clustered.http.put(f"/v1/code/{large.hash}", content=pieces(), headers=headers).status_code == 413
    anonymous = httpx2.put(f"{clustered.url}/v1/code/{large.hash}", content=b"x", headers=headers, timeout=60)
    assert anonymous.status_code == 401
    too_large = clustered.http.get(f"/v1/code/{large.hash}/file", params={"path": "large.py"})
    assert too_large.status_code == 413


# -- the store --------------------------------------------------------------------------------------------------------


def test_a_pod_gets_the_archive_by_a_url_that_runs_out(clustered: Backend) -> None:
    store, bundle = store_of(clustered), some_code()
    codes = CodeStore(store)
    assert codes.put(bundle) == bundle.hash
    url = codes.url(bundle.hash, 60, store.address.endpoint)
    assert httpx2.get(url, trust_env=False, timeout=60).content == bundle.archive()
    assert httpx2.get(url.replace(bundle.hash, "0" * 64), trust_env=False, timeout=60).status_code == 403
    assert httpx2.get(url.split("?")[0], trust_env=False, timeout=60).status_code == 403
    elsewhere = codes.url(bundle.hash, 60, "http://s3.test:9000")
    assert elsewhere.startswith(f"http://s3.test:9000/{store.address.bucket}/{code_key(bundle.hash)}?")
    assert store.address.secret_key not in elsewhere


def test_code_that_was_changed_in_the_store_is_not_run(clustered: Backend) -> None:
    """Trainers hold the store's keys."""
    store, bundle = store_of(clustered), some_code()
    with pytest.raises(NotFound, match="There is no code"):
        CodeStore(store).get(bundle.hash)
    with pytest.raises(NotFound, match="There is no code"):
        CodeStore(store).get("../datasets/x")
    CodeStore(store).put(bundle)
    assert CodeStore(store).get(bundle.hash).files == bundle.files
    store.put_stream(code_key(bundle.hash), [some_code(File("more.py", b"", False)).archive()])
    with pytest.raises(InvalidInput, match="holds other code"):
        CodeStore(store).get(bundle.hash)
    CodeStore(store).put(bundle)  # sent again it is whole again
    assert CodeStore(store).get(bundle.hash).files == bundle.files


# -- jobs -------------------------------------------------------------------------------------------------------------


def test_a_job_that_names_no_code_gets_the_trainers_as_it_is_now(clustered: Backend) -> None:
    job = accepted(submit(clustered, resources={"cpu": "500m", "memory": "1Gi", "gpus": 2}, gpus=1))
    assert job["id"].startswith("job-")
    assert job["code_hash"] == bundle_folder(PROBE).hash
    assert (job["gpus"], job["resources"]["gpus"], job["resources"]["memory"]) == (1, 1, "1Gi")
    assert job["image"] == "localhost/trainer-probe:dev"
    files = {one["path"] for one in clustered.ask("GET", f"/v1/code/{job['code_hash']}")["files"]}
    assert files == {"predict.py", "train.py", "trainer.toml"}
    end(clustered, job)


def test_a_retry_runs_the_very_code_with_the_same_wishes(clustered: Backend) -> None:
    toml = (PROBE / "trainer.toml").read_bytes() + b'\n[params.mine]\ntype = "int"\ndefault = 7\n'
    bundle = some_code(File("trainer.toml", toml, False), File("train.py", b"", False))
    send(clustered, bundle)
    job = accepted(submit(clustered, code=bundle.hash, resources={"memory": "1Gi", "queue": "team"}))
    assert job["id"].startswith("dev-")
    assert (job["callbacks"], job["params"]["mine"]) == (True, 7)
    end(clustered, job)
    again = accepted(clustered.http.post(f"/v1/jobs/{job['id']}/retry", json={"params": {"mine": 8}}))
    assert again["id"].startswith("dev-")
    assert again["params"]["mine"] == 8
    for name in ("code_hash", "resources", "image", "execution", "script"):
        assert again[name] == job[name], name
    end(clustered, again)
    plain = accepted(submit(clustered))
    end(clustered, plain)
    retried = accepted(clustered.http.post(f"/v1/jobs/{plain['id']}/retry"))
    assert retried["id"].startswith("job-")
    assert retried["code_hash"] == plain["code_hash"]
    end(clustered, retried)


def test_a_script_of_the_code_owes_no_callbacks_and_can_be_tried_again(clustered: Backend) -> None:
    bundle = some_code()
    send(clustered, bundle)
    job = accepted(submit(clustered, code=bundle.hash, script="./mine.py", dataset_id=None, params={"width": 3}))
    assert (job["callbacks"], job["attached"], job["params"]["width"]) == (False, False, 3)
    end(clustered, job)
    again = accepted(clustered.http.post(f"/v1/jobs/{job['id']}/retry"))
    assert (again["script"], again["code_hash"], again["callbacks"]) == (job["script"], bundle.hash, False)
    end(clustered, again)


def test_a_lone_script_called_as_the_trainers_own_is_still_no_trainer(clustered: Backend) -> None:
    bundle = some_code(File("train.py", b"", False))
    send(clustered, bundle)
    job = accepted(submit(clustered, code=bundle.hash, script="train.py"))
    assert job["callbacks"] is False
    end(clustered, job)


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"resources": {"memory": "2 GB"}}, "resources.memory", "'2 GB' is no amount of memory: write 2Gi"),
        ({"resources": {"cpu": "2x"}}, "resources.cpu", "'2x' is no number of CPUs"),
        ({"resources": {"image": "A B"}}, "resources.image", "'A B' is no image"),
        ({"resources": {"memory": "1Gi", "shm": "2Gi"}}, "resources.shm", "do not fit into 1Gi"),
        ({"resources": {"replicas": 2}, "gpus": 2}, "resources.gpus", "one GPU"),
        ({"resources": {"disk": "1Gi"}}, "resources.disk", "Extra inputs"),
        ({"code": "0" * 64}, "code", "There is no code 0000"),
        ({"code": "../x"}, "code", "should match pattern"),
        ({"script": "train.py"}, "script", "sends its code"),
        ({"execution": "image", "code": "0" * 64}, "code", "An image brings its own code"),
        ({"execution": "local", "code": "0" * 64}, "code", "tier k8s only"),
        ({"execution": "local", "resources": {"cpu": "1"}}, "resources.cpu", "a wish for a cluster"),
        ({"attached": True}, "execution", "A terminal can only run jobs on the local tier"),
    ],
)
def test_what_is_wrong_is_said_before_there_is_a_job(
    clustered: Backend, given: dict[str, Any], field: str, words: str
) -> None:
    before = len(clustered.ask("GET", "/v1/jobs", params={"limit": 200})["items"])
    status, named, said = refused(submit(clustered, **given))
    assert (status, named) == (422, field)
    assert words in said
    assert "Value error" not in said
    assert len(clustered.ask("GET", "/v1/jobs", params={"limit": 200})["items"]) == before


@pytest.mark.parametrize("script", ["gone.py", "../mine.py", "/etc/passwd", "", "sub"])
def test_a_script_that_is_not_in_the_code_is_refused(clustered: Backend, script: str) -> None:
    bundle = some_code(File("sub/a.py", b"", False))
    send(clustered, bundle)
    status, field, words = refused(submit(clustered, code=bundle.hash, script=script))
    assert (status, field) == (422, "script")
    assert "is to be run, but is not in its folder" in words


def test_the_code_of_another_trainer_is_refused(clustered: Backend) -> None:
    toml = (PROBE / "trainer.toml").read_bytes().replace(b'"probe"', b'"other"')
    bundle = some_code(File("trainer.toml", toml, False), File("train.py", b"", False))
    broken = some_code(File("trainer.toml", b"framework = ", False), File("train.py", b"", False))
    for one, words in ((bundle, "is the trainer other, not probe"), (broken, "trainer.toml: not valid TOML")):
        send(clustered, one)
        status, _, said = refused(submit(clustered, code=one.hash))
        assert (status, words in said) == (422, True), said


def test_an_image_brings_its_own_code(clustered: Backend) -> None:
    image = f"ghcr.io/me/probe@sha256:{'a' * 64}"
    job = accepted(submit(clustered, execution="image", resources={"image": image}))
    assert (job["code_hash"], job["image"], job["id"][:4]) == (None, image, "job-")
    end(clustered, job)


def test_a_local_job_may_still_say_its_gpus_in_either_place(clustered: Backend) -> None:
    body = {"execution": "local", "resources": {"gpus": 0}, "params": {"epochs": 1, "epoch_seconds": 0.01}}
    job = accepted(submit(clustered, **body))
    assert (job["gpus"], job["code_hash"], job["image"]) == (0, None, None)
    clustered.wait_state(job["id"], "SUCCEEDED")


# -- CLI --------------------------------------------------------------------------------------------------------------


def test_train_on_k8s_sends_the_code_of_this_folder_and_returns(shell: Shell) -> None:
    options = ("--cpu", "500m", "--memory", "1Gi", "--queue", "team", "--image", "own/image:1", "--gpus", "1")
    said = shell.run("train", "-f", "probe", "--on", "k8s", "-d", "cats-dogs-classes", "-e", "2", *options)
    job = shell.newest()
    assert said.out == f"{job['id']}  {job['url']}\n"
    assert job["id"].startswith("dev-")
    bundle = bundle_folder(PROBE)
    assert f"Code {bundle.hash[:12]}: 3 files, " in said.err
    assert "travels in a ConfigMap" in said.err
    assert (job["code_hash"], job["params"]["epochs"], job["gpus"]) == (bundle.hash, 2, 1)
    asked = {name: value for name, value in job["resources"].items() if value}
    assert asked == {"cpu": "500m", "memory": "1Gi", "queue": "team", "image": "own/image:1", "gpus": 1}
    end(shell.backend, job)


def test_train_on_k8s_takes_a_script_of_ones_own_along(shell: Shell) -> None:
    (shell.folder / "helper.py").write_text(f"x = '{secrets.token_hex(8)}'\n")
    shell.run("train", shell.script("own.py", "import helper\n"), "-f", "probe", "--on", "k8s")
    job = shell.newest()
    assert (job["script"], job["callbacks"], job["attached"], job["name"]) == ("own.py", False, False, "own.py")
    files = clustered_files(shell.backend, job["code_hash"])
    assert files == ["helper.py", "own.py"]
    end(shell.backend, job)


def clustered_files(backend: Backend, code: str) -> list[str]:
    return [one["path"] for one in backend.ask("GET", f"/v1/code/{code}")["files"]]


def test_submit_sends_none_and_the_backend_takes_its_own(shell: Shell) -> None:
    shell.run("submit", "-f", "probe", "--on", "k8s", "-d", "cats-dogs-classes", "--memory", "2Gi")
    job = shell.newest()
    assert (job["id"][:4], job["code_hash"]) == ("job-", bundle_folder(PROBE).hash)
    assert job["resources"]["memory"] == "2Gi"
    end(shell.backend, job)


def test_watching_ends_with_the_job_or_with_ctrl_c_which_leaves_it(shell: Shell) -> None:
    watching = shell.start("train", "-f", "probe", "--on", "k8s", "-d", "cats-dogs-classes", "--watch")
    try:
        assert watching.stdout is not None
        job_id = watching.stdout.readline().split()[0]
        end(shell.backend, {"id": job_id})
        _, err = watching.communicate(timeout=120)
    finally:
        watching.kill()
    assert watching.returncode == 130
    assert f"CANCELLED {job_id}" in err
    terminal = shell.terminal("train", "-f", "probe", "--on", "k8s", "-d", "cats-dogs-classes", "--watch")
    terminal.expect("waiting for its turn")
    left = str(shell.newest()["id"])
    assert left != job_id
    shell.backend.wait_state(left, "PENDING", "QUEUED")
    terminal.sendintr()
    terminal.expect("The job goes on without this terminal")
    terminal.expect(f"trainyard logs {left} -f")
    terminal.wait()
    assert terminal.exitstatus == 130
    assert shell.backend.job(left)["cancelling"] is False
    end(shell.backend, {"id": left})


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--on", "k8s", "--memory", "2 GB"), 1, "'2 GB' is no amount of memory: write 2Gi"),
        (("--memory", "2Gi"), 2, "--memory is for a cluster"),
        (("--on", "image", "own.py"), 2, "An image brings its own code"),
        (("--on", "k8s", "gone.py"), 2, "There is no script"),
    ],
)
def test_the_cli_says_what_is_wrong(shell: Shell, words: tuple[str, ...], code: int, said: str) -> None:
    shell.script("own.py", "")
    before = shell.jobs()
    assert said in shell.run("train", "-f", "probe", *words, code=code).err
    assert shell.jobs() == before
