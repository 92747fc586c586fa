"""Secrets, odd text and rights, as a real cluster shows them: rows S8, S9 and S10."""

import base64
import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.kubernetes.accounts import account, all_that_we_ask_for
from tests.kubernetes.test_faults import submit_script
from tests.kubernetes.yard import ClusterYard
from tests.real.backend import TOKEN, wait_for
from tests.real.cluster import Cluster, OwnNamespace
from trainyard.executors.kubernetes.api import Api
from trainyard.executors.kubernetes.code import CONFIG_MAP_LIMIT
from trainyard.executors.kubernetes.pod import USER
from trainyard.executors.kubernetes.rights import missing_rights

MakeYard = Callable[..., ClusterYard]
LOOKED_AT = "jobs,pods,configmaps,services,endpoints,events,serviceaccounts"
LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
TOO_BIG = {"data.py": f"TEXT = '{'x' * (CONFIG_MAP_LIMIT + 1)}'\n"}  # by the store, fetched by an init container


def told_by(yard: ClusterYard, job_id: str) -> dict[str, Any]:
    """What a script printed after `TOLD`."""
    found = wait_for("what the script tells", lambda: re.search(r"TOLD (\{.*\})\n", yard.log_text(job_id)))
    return json.loads(found[1])


def cancelled(yard: ClusterYard, *jobs: str) -> None:
    for job_id in jobs:
        yard.ask("POST", f"/v1/jobs/{job_id}/cancel")
    for job_id in jobs:
        yard.wait_closed(job_id)


# -- S8: secrets ------------------------------------------------------------------------------------------------------


def secrets_of(yard: ClusterYard, job_id: str) -> dict[str, str]:
    (found,) = yard.cluster.objects("secrets", f"trainyard/job-id={job_id}")
    assert [owner["kind"] for owner in found["metadata"]["ownerReferences"]] == ["Job"]
    return {name: base64.b64decode(value).decode() for name, value in found["data"].items()}


def where_found(canaries: dict[str, str], places: dict[str, str]) -> list[str]:
    """Which secret stands where, as it is or in base64."""
    return [
        f"{name} in {place}"
        for name, value in canaries.items()
        for place, text in places.items()
        if value in text or base64.b64encode(value.encode()).decode() in text
    ]


def answers_about(yard: ClusterYard, job_id: str) -> dict[str, str]:
    paths = {"answer": "", "events": "/events", "log": "/log", "metrics": "/metrics", "explanation": "/explanation"}
    return {f"{job_id}'s {name}": yard.http.get(f"/v1/jobs/{job_id}{path}").text for name, path in paths.items()}


def kept_files(yard: ClusterYard) -> dict[str, str]:
    """What the backend writes, its log and its database among it; its own secrets lie in a folder that is locked."""
    locked = yard.folder / "data" / "secrets"
    files: dict[str, str] = {}
    for path in yard.folder.rglob("*"):
        with suppress(FileNotFoundError):  # a draft that has just become the file itself
            if path.is_file() and locked not in path.parents:
                files[str(path.relative_to(yard.folder))] = path.read_bytes().decode("latin-1")
    return files


def test_s08_secrets_stand_in_the_secret_alone_and_go_with_the_job(yard: ClusterYard) -> None:
    trains = yard.submit(epochs=10_000)
    code = yard.send_code({"run.py": "import time\nprint('here')\ntime.sleep(600)\n", **TOO_BIG})
    fetched = submit_script(yard, code, "run.py")
    yard.wait_until(trains, lambda job: job["epoch"])
    wait_for("its code to run", lambda: "here\n" in yard.log_text(fetched))
    canaries = {f"{name} of {job}": value for job in (trains, fetched) for name, value in secrets_of(yard, job).items()}
    canaries["the administrator's token"] = TOKEN
    canaries["the signing key"] = (yard.folder / "data" / "secrets" / "signing_key").read_text().strip()
    known = {yard.env["TRAINYARD_S3_SECRET_KEY"], yard.env["TRAINYARD_S3_ACCESS_KEY"]}
    assert known < set(canaries.values()), "they reach the pod in no other way"
    assert {f"CALLBACK_TOKEN of {trains}", f"CODE_URL of {fetched}"} < canaries.keys()
    cluster = {f"the cluster's {kind}": yard.cluster.kubectl("get", kind, "-o=yaml") for kind in LOOKED_AT.split(",")}
    assert trains in cluster["the cluster's pods"]
    answers = answers_about(yard, trains) | answers_about(yard, fetched)
    assert where_found(canaries, cluster | answers | kept_files(yard)) == []
    cancelled(yard, trains, fetched)
    answers = answers_about(yard, trains) | answers_about(yard, fetched)
    assert where_found(canaries, answers | kept_files(yard)) == []
    wait_for("the Secrets to go", lambda: not yard.cluster.objects("secrets", "trainyard/job-id"))


# -- S9: text of users ------------------------------------------------------------------------------------------------

ODD = {
    "braces": "{{ .Values.x }} {% raw %} ${HOME} {0}",
    "dollars": "$(HOME) $$(HOME) $HOME $$ $",
    "lines": "first\n---\nkind: Pod\r\n\tlast\n",
    "quotes": "'single' \"double\" `back` \\ \\n #no comment: - x",
    "unicode": "훈련 é e\u0301 \U0001f408 \u202e right \u2028 \ufeff",
    "spaces": "  before and after \t",
    "yes": "yes",
    "number": "12e45",
    "empty": "",
    "long": "긴 글 {{x}} " * 30,
}
ODD_MODEL = "모델 {{x}} $(HOME) 'a' \"b\" #c: d"
ODD_SCRIPT = "한 {{x}} $(HOME) 'x'.py"
SHOW = "import json, os\nprint('TOLD', json.dumps(dict(os.environ, AS=__file__)))\n"


def test_s09_odd_text_arrives_unchanged_and_breaks_no_name(yard: ClusterYard) -> None:
    body = {
        "framework": "probe",
        "name": "이름 {{x}} $(HOME): - 'a'".ljust(200, "x"),
        "tags": ["$(HOME)", "{{x}}", "a: b # c", "훈련"],
        "notes": "\n".join(ODD.values()),
        "model": ODD_MODEL,
        "params": ODD,
        "code": yard.send_code({ODD_SCRIPT: f"{SHOW}import time\ntime.sleep(600)\n"}),
        "script": ODD_SCRIPT,
    }
    job = yard.ask("POST", "/v1/jobs", json=body)
    told = told_by(yard, job["id"])
    assert {name: told[f"PARAM_{name.upper()}"] for name in ODD} == ODD
    assert told["MODEL_NAME"] == ODD_MODEL
    assert told["AS"] == f"/code/{ODD_SCRIPT}"
    ours = yard.cluster.objects("jobs,pods,secrets,configmaps", f"trainyard/job-id={job['id']}")
    assert {one["kind"] for one in ours} == {"Job", "Pod", "Secret", "ConfigMap"}
    for one in ours:
        labels = one["metadata"]["labels"]
        assert all(LABEL_VALUE.fullmatch(value) for value in labels.values())
        assert labels["trainyard/trace-id"] == job["trace_id"]
    shown = yard.job(job["id"])
    assert {name: shown[name] for name in ("name", "tags", "notes")} == {n: body[n] for n in ("name", "tags", "notes")}
    cancelled(yard, job["id"])


# -- S10: rights ------------------------------------------------------------------------------------------------------

LOOK = """
import json, os, pathlib, time

def writes(folder):
    try:
        pathlib.Path(folder, 'probe').write_text('x')
    except OSError as error:
        return error.strerror
    return 'written'
status = dict(line.split(':\\t', 1) for line in pathlib.Path('/proc/self/status').read_text().splitlines())
told = {name: status[name].split() for name in ('Uid', 'Gid', 'CapEff', 'CapPrm', 'CapBnd', 'NoNewPrivs', 'Seccomp')}
told |= {folder: writes(folder) for folder in ('/', '/code', '/etc', '/usr', '/tmp', '/dev/shm')}
told['token'] = os.path.exists('/var/run/secrets/kubernetes.io')
print('TOLD', json.dumps(told), flush=True)
time.sleep(600)
"""


def test_s10_a_pod_may_do_nothing_that_a_training_needs_not(yard: ClusterYard) -> None:
    job_id = submit_script(yard, yard.send_code({"look.py": LOOK, **TOO_BIG}), "look.py")
    told = told_by(yard, job_id)
    assert (told["Uid"], told["Gid"]) == ([str(USER)] * 4, [str(USER)] * 4)
    assert [int(told[name][0], 16) for name in ("CapEff", "CapPrm", "CapBnd")] == [0, 0, 0]
    assert (told["NoNewPrivs"], told["Seccomp"]) == (["1"], ["2"])
    assert {told[folder] for folder in ("/", "/etc", "/usr")} == {"Read-only file system"}
    assert told["/code"] == "Read-only file system"
    assert (told["/tmp"], told["/dev/shm"]) == ("written", "written")
    assert told["token"] is False
    (pod,) = yard.cluster.objects("pods", f"trainyard/job-id={job_id}")
    spec = pod["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert not [volume for volume in spec["volumes"] if "projected" in volume or "hostPath" in volume]
    assert not any(spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    containers = [*spec["containers"], *spec["initContainers"]]
    assert len(containers) == 2
    for each in containers:
        context = each["securityContext"]
        assert (context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"]) == (False, True)
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert not context.get("privileged")
    cancelled(yard, job_id)


def allowed(cluster: Cluster, who: str, namespace: str) -> set[str]:
    """What the cluster says the account may do there, apart from asking about itself."""
    groups = ["--as-group=system:serviceaccounts", "--as-group=system:authenticated"]
    told = cluster.kubectl(
        "auth", "can-i", "--list", f"--as={who}", *groups, "--no-headers", f"--namespace={namespace}"
    )
    rows = [re.split(r"\s{2,}", line.strip()) for line in told.splitlines()]
    granted = {row[0]: row[-1].strip("[]").split() for row in rows if not row[0].startswith(("[", "selfsubject"))}
    return {f"{verb} {name.partition('.')[0]}" for name, verbs in granted.items() for verb in verbs}


def test_s10_the_rights_that_we_ask_for_are_enough_and_count_in_one_namespace(
    cluster: OwnNamespace, make_yard: MakeYard, tmp_path: Path
) -> None:
    rights = all_that_we_ask_for()
    config = account(cluster, tmp_path, "trainyard", rights)
    here = Api.connect(cluster.settings(kubeconfig=config))
    wait_for("its rights to count", lambda: not missing_rights(here))
    here.close()
    who = f"system:serviceaccount:{cluster.namespace}:trainyard"
    may = allowed(cluster, who, cluster.namespace)
    assert {right for right in may if "/" not in right} == {
        f"{verb} {name}" for name, verbs in rights.items() for verb in verbs if "/" not in name
    }
    assert {right for right in may if "/" in right} == {"get pods/log"}
    for elsewhere in ("default", "kube-system"):
        assert allowed(cluster, who, elsewhere) == set()
    yard = make_yard(kubeconfig=str(config))
    ends, goes_on = yard.submit(), yard.submit(epochs=10_000)
    assert yard.wait_end(ends)["state"] == "SUCCEEDED"
    yard.wait_until(goes_on, lambda job: job["epoch"])
    cancelled(yard, ends, goes_on)
    assert yard.job(goes_on)["state"] == "CANCELLED"
    assert "epoch 3 of 3" in yard.log_text(ends)
