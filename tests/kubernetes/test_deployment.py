"""The chart on a real API server, and installed there for real: who may do what, what is reachable, a training."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tests.real.backend import wait_for
from tests.real.cluster import Cluster, OwnNamespace, own_namespace
from tests.real.deployment import CHART, KIND, POSTGRESQL, Release, asking, released, render, run_helm, volumes
from tests.real.platform_images import ROOT, platform_images, size
from tests.real.postgres import running_postgres
from tests.real.s3server import free_ports
from tests.real.testkube.places import is_given
from trainyard.executors.kubernetes.rights import LOGS, METRICS, RIGHTS
from trainyard.storage.client import Address
from trainyard.storage.store import Store

ELSEWHERE = [*POSTGRESQL, "--set=database.url=postgresql://user:password@db.example/trainyard"]
ELSEWHERE += ["--set=s3.type=r2,s3.endpoint=https://r2.example,mlflow.url=http://mlflow.example:5000"]
VARIANTS = {"as it is": [], "kind": [KIND], "postgresql": POSTGRESQL, "all by reference": ELSEWHERE}
VARIANTS["a Secret of yours"] = ["--set=secrets.existing=mine,storageClass=fast,networkPolicy.enabled=false"]
each_variant = pytest.mark.parametrize("values", VARIANTS.values(), ids=VARIANTS.keys())

# word for word what the backend may do in its namespace, and nothing else
MAY = {("batch" if kind == "Job" else "", f"{kind.lower()}s"): set(verbs) for kind, verbs in RIGHTS.items()}
MAY |= {("", "pods/log"): {LOGS}, ("metrics.k8s.io", "pods"): {METRICS}}
GROUPS = ["--as-group=system:serviceaccounts", "--as-group=system:authenticated"]
EVERYBODYS = ("selfsubject", "clustertrustbundles")


# -- the chart as a text ----------------------------------------------------------------------------------------------


@each_variant
def test_the_chart_lints(values: list[str]) -> None:
    told = run_helm("lint", "--strict", "--kube-version=1.34.4", str(CHART), *values)
    assert "0 chart(s) failed" in told


@each_variant
def test_the_api_server_takes_every_object(values: list[str], cluster: OwnNamespace) -> None:
    cluster.kubectl("label", "namespace", cluster.namespace, "pod-security.kubernetes.io/warn=restricted")
    objects = render(*values, namespace=cluster.namespace)
    argv = ["kubectl", "--kubeconfig", str(cluster.kubeconfig), "--namespace", cluster.namespace, "apply"]
    argv += ["--dry-run=server", "--validate=strict", "--filename=-"]
    done = subprocess.run(argv, input=objects, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert len(done.stdout.splitlines()) == sum(1 for one in yaml.safe_load_all(objects) if one)


def test_several_backends_on_sqlite_are_refused() -> None:
    told = run_helm("template", str(CHART), "--kube-version=1.34.4", "--set=backend.replicas=2", code=1)
    assert "SQLite belongs to one backend" in told


def test_secrets_stand_in_the_secret_only() -> None:
    objects = [one for one in yaml.safe_load_all(render(KIND, *ELSEWHERE)) if one]
    (secret,) = [one for one in objects if one["kind"] == "Secret"]
    others = json.dumps([one for one in objects if one is not secret])
    values = [value for value in secret["stringData"].values() if value]
    assert len(values) == 7
    assert not [value for value in values if value in others]


def test_only_the_backend_has_a_token_for_the_cluster() -> None:
    pods = [
        (one["metadata"]["name"], one["spec"]["template"]["spec"])
        for one in yaml.safe_load_all(render(*POSTGRESQL))
        if one and one["kind"] in ("StatefulSet", "Job")
    ]
    assert len(pods) == 5
    assert [name for name, spec in pods if spec.get("automountServiceAccountToken", True)] == ["trainyard-backend"]


def test_the_backends_image_is_small(values: dict[str, Any]) -> None:
    assert size("backend") < 170e6  # python:3.11-slim adds about 130 MB: together they stay below 300


def test_the_example_by_hand_is_a_job_that_the_api_server_takes(cluster: OwnNamespace) -> None:
    example = ROOT / "deploy" / "examples" / "training-job.yaml"
    told = cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "--filename", str(example))
    assert "job.batch/training-by-hand created (server dry run)" in told


# -- installed --------------------------------------------------------------------------------------------------------

CLAIMS = [f"data-trainyard-{part}-0" for part in ("backend", "storage", "mlflow")]


@pytest.fixture(scope="session")
def own_cluster(whole_cluster: Cluster) -> Cluster:
    if is_given():
        pytest.skip("needs the cluster that root on Debian makes: images, volumes and node ports are made for that one")
    return whole_cluster


@pytest.fixture(scope="module")
def space(own_cluster: Cluster) -> Iterator[OwnNamespace]:
    """Where every pod must be as the strictest pod security level wants it, trainings as well."""
    with own_namespace(own_cluster) as space:
        space.kubectl("label", "namespace", space.namespace, "pod-security.kubernetes.io/enforce=restricted")
        yield space


@pytest.fixture(scope="module")
def values(own_cluster: Cluster, sklearn_image: str) -> dict[str, Any]:
    small = {"requests": {"cpu": "50m"}}
    return {
        "image": {"tag": platform_images()},
        "trainings": {"image": sklearn_image},
        "backend": {"nodePort": 30080, "resources": small, "env": {"TRAINYARD_K8S_CPU": "100m"}},
        "s3": {"nodePort": 30900, "adminNodePort": 30901, "resources": small},
        "mlflow": {"nodePort": 30500, "resources": small},
    }


@pytest.fixture(scope="module")
def release(space: OwnNamespace, values: dict[str, Any]) -> Iterator[Release]:
    folder = Path(tempfile.mkdtemp(prefix="trainyard-volumes-"))
    folder.chmod(0o755)
    with volumes(space, folder, *CLAIMS, "data-trainyard-backend-1"), released(space, **values) as release:
        yield release


def test_it_answers_at_its_node_port(release: Release) -> None:
    with asking("http://127.0.0.1:30080", release.secret()["token"]) as http:
        assert http.get("/v1/health/ready").json() == {"status": "ok", "database": True, "storage": True}
        wait_for("MLflow to be seen", lambda: http.get("/v1/status").json()["mlflow"])  # looked for now and then
        status = http.get("/v1/status").json()
        assert status["execution"] == "k8s"
        assert {one["framework"] for one in http.get("/v1/trainers").json()["items"]} >= {"sklearn", "ultralytics"}


def test_it_answers_to_its_names_and_to_nobody_without_a_token(release: Release) -> None:
    url = release.address("trainyard-backend")
    names = {f"trainyard-backend{rest}" for rest in ("", f".{release.cluster.namespace}.svc.cluster.local")}
    for name in names:
        assert httpx2.get(f"{url}/v1/status", headers={"Host": f"{name}:8000"}, timeout=90).status_code == 401
    assert httpx2.get(f"{url}/v1/status", headers={"Host": "elsewhere.example"}, timeout=90).status_code == 421


def test_mlflow_and_the_store_are_there_by_their_old_names_too(release: Release) -> None:
    mlflow, store = release.address("mlflow-service"), release.address("minio-service")
    assert (mlflow.rpartition(":")[2], store.rpartition(":")[2]) == ("5000", "9000")
    assert httpx2.get(f"{mlflow}/health", headers={"Host": "mlflow-service:5000"}, timeout=90).status_code == 200
    assert httpx2.get(f"{store}/healthz", timeout=90).status_code == 200
    assert httpx2.get("http://127.0.0.1:30500/health", timeout=90).status_code == 200
    page = httpx2.get("http://127.0.0.1:30901/", timeout=90)
    assert (page.status_code, page.headers["location"]) == (307, "/login")


def test_the_store_lets_in_whoever_has_its_keys(release: Release) -> None:
    keys = release.secret()
    address = Address("http://127.0.0.1:30900", "trainyard", keys["s3-access-key"], keys["s3-secret-key"], "us-east-1")
    assert Store(address).healthy()
    assert not Store(Address(address.endpoint, "trainyard", keys["s3-access-key"], "wrong", "us-east-1")).healthy()
    assert httpx2.get("http://127.0.0.1:30900/trainyard/", timeout=90).status_code == 403


def test_what_lies_behind_the_store_opens_to_nobody(release: Release) -> None:
    """Where nothing enforces the policies, pods reach each other's every port: no file may come out of one."""
    (pod,) = [one for one in release.pods() if one["metadata"]["name"] == "trainyard-storage-0"]
    told = release.cluster.kubectl("exec", "trainyard-storage-0", "--", "cat", "/proc/net/tcp", "/proc/net/tcp6")
    listening = {int(line.split()[1].rpartition(":")[2], 16) for line in told.splitlines() if " 0A " in line}
    assert 9000 in listening
    answers: dict[int, int | str] = {}
    for port in listening - {9000, 9001}:
        for path in ("/", "/buckets/trainyard/"):
            try:
                answers[port] = httpx2.get(f"http://{pod['status']['podIP']}:{port}{path}", timeout=5).status_code
            except httpx2.HTTPError as error:
                answers[port] = type(error).__name__
    assert not [port for port, answer in answers.items() if answer == 200], answers


def test_the_backend_may_do_just_what_its_role_says(release: Release) -> None:
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}
    review |= {"spec": {"namespace": release.cluster.namespace}}
    account = f"--as=system:serviceaccount:{release.cluster.namespace}:trainyard-backend"
    argv = ["create", "--filename=-", "--output=json", "--validate=false", account, *GROUPS]
    told = release.cluster.kubectl(*argv, stdin=json.dumps(review))
    found: dict[tuple[str, str], set[str]] = {}
    for rule in json.loads(told)["status"]["resourceRules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                if not resource.startswith(EVERYBODYS):
                    found.setdefault((group, resource), set()).update(rule["verbs"])
    assert found == MAY


@pytest.mark.parametrize(
    "asked",
    [
        "create jobs",
        "get pods/log",
        "create secrets",
        "!get secrets",
        "!delete secrets",
        "!create pods",
        "!create pods/exec",
        "!get nodes",
    ],
)
def test_the_cluster_itself_says_so(release: Release, asked: str) -> None:
    verb, resource = asked.lstrip("!").split()
    resource, _, part = resource.partition("/")
    part = f"--subresource={part}"
    account = f"--as=system:serviceaccount:{release.cluster.namespace}:trainyard-backend"
    told = release.cluster.kubectl("auth", "can-i", verb, resource, part, account, code=None)
    assert told.strip() == ("no" if asked.startswith("!") else "yes")
    beyond = release.cluster.kubectl("auth", "can-i", verb, resource, part, account, "--namespace=default", code=None)
    assert beyond.strip() == "no"


def test_no_container_runs_as_root_or_may_write_where_it_should_not(release: Release) -> None:
    pods = [one["metadata"]["name"] for one in release.pods()]
    assert sorted(pods) == [claim.removeprefix("data-") for claim in sorted(CLAIMS)]
    token = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    for pod in pods:
        script = f"id -u; (echo x > /usr/x) 2>/dev/null && echo writes; test -e {token} && echo token; true"
        told = release.cluster.kubectl("exec", pod, "--", "sh", "-c", script).split()
        assert told == ["10001", "token"] if pod == "trainyard-backend-0" else told == ["10001"], pod


def test_an_upgrade_keeps_its_keys(release: Release, values: dict[str, Any]) -> None:
    before = release.secret()
    release.install(values=values)
    assert release.secret() == before
    assert len(before["token"]) > 40


def test_a_training_in_the_installed_platform_succeeds(release: Release) -> None:
    with asking("http://127.0.0.1:30080", release.secret()["token"]) as http:
        assert http.post("/v1/samples/cats-dogs-classes").is_success
        body = {"framework": "sklearn", "dataset_id": "cats-dogs-classes", "params": {"epochs": 2}}
        answer = http.post("/v1/jobs", json=body)
        assert answer.is_success, answer.text
        url = f"/v1/jobs/{answer.json()['id']}"
        ended = wait_for("its end", lambda: job if (job := http.get(url).json())["finished_at"] else None, 200)
        assert ended["state"] == "SUCCEEDED", f"{ended['reason']}: {ended['message']}\n{http.get(f'{url}/log').text}"
        assert ended["execution"] == "k8s"
        wait_for("all of it to be put away", lambda: http.get(url).json()["closed_at"])


def test_the_example_runs_by_hand_beside_the_platform(release: Release, sklearn_trainer_image: str) -> None:
    """After the training above: its dataset is there."""
    keys = release.secret()
    secret, job = yaml.safe_load_all((ROOT / "deploy" / "examples" / "training-job.yaml").read_text())
    secret["stringData"] = {"MINIO_ACCESS_KEY": keys["s3-access-key"], "MINIO_SECRET_KEY": keys["s3-secret-key"]}
    (trainer,) = job["spec"]["template"]["spec"]["containers"]
    trainer["image"] = sklearn_trainer_image
    for one in trainer["env"]:
        one["value"] = {"DATASET_ID": "cats-dogs-classes", "EPOCHS": "2"}.get(one["name"], one["value"])
    release.cluster.kubectl("apply", "--filename=-", stdin=yaml.safe_dump_all([secret, job]))
    name = "job/training-by-hand"
    wait_for("its end", lambda: release.cluster.kubectl("get", name, "--output=jsonpath={.status.conditions}"), 200)
    told = release.cluster.kubectl("logs", name)
    assert release.cluster.kubectl("get", name, "--output=jsonpath={.status.succeeded}") == "1", told
    assert "without callbacks: no address is set" in told
    release.cluster.kubectl("delete", name, "secret/training-by-hand")


@pytest.fixture
def postgresql(release: Release) -> Iterator[str]:
    """A real one outside the cluster, at an address that pods see."""
    (port,) = free_ports(1)
    with running_postgres() as url:
        socket = f"{url.partition('host=')[2]}/.s.PGSQL.5432"
        argv = ["socat", f"TCP-LISTEN:{port},fork,reuseaddr", f"UNIX-CONNECT:{socket}"]
        with subprocess.Popen(argv) as forwarder:
            try:
                yield f"postgresql://postgres@{release.cluster.pod_host}:{port}/postgres"
            finally:
                forwarder.kill()


def test_two_backends_share_postgresql_and_an_upgrade_migrates_it_first(
    release: Release, values: dict[str, Any], postgresql: str
) -> None:
    several = values | {"backend": values["backend"] | {"replicas": 2}}
    several |= {"database": {"type": "postgresql", "url": postgresql}}
    release.install(values=several)
    pods = [one for one in release.pods() if one["metadata"]["labels"]["app.kubernetes.io/component"] == "backend"]
    assert len(pods) == 2
    token = release.secret()["token"]
    one, other = (asking(f"http://{pod['status']['podIP']}:8000", token) for pod in pods)
    name = {"Host": "trainyard-backend"}
    with one, other:
        made = one.post("/v1/samples/cats-dogs-classes", headers=name)
        assert made.is_success, made.text
        assert [item["id"] for item in other.get("/v1/datasets", headers=name).json()["items"]] == ["cats-dogs-classes"]
    hooks = release.helm("get", "hooks", release.name)
    assert "trainyard.db.migrate" in hooks
    release.install(values=several)  # its migrations run before its backends; were they to fail, so would this
