"""The objects of a run: what Kubernetes gets, and rows S8-S10 of what it never gets."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from lightkube.resources.batch_v1 import Job
from lightkube.resources.core_v1 import ConfigMap, Secret, Service

from tests.unit.k8s_made import CANARY, DIGEST, RUN, built, settings, spec, trainer, variables
from trainyard.executors.base import RunId
from trainyard.executors.kubernetes.manifest import COMPLETE, Manifests
from trainyard.executors.kubernetes.shown import as_yaml

KINDS: dict[str, Any] = {"Job": Job, "Secret": Secret, "ConfigMap": ConfigMap, "Service": Service}


def everything(manifests: Manifests) -> list[dict[str, Any]]:
    return [manifests.job, *manifests.owned]


def kinds(manifests: Manifests) -> list[str]:
    return [each["kind"] for each in everything(manifests)]


def owned(manifests: Manifests, kind: str) -> dict[str, Any]:
    (found,) = (each for each in manifests.owned if each["kind"] == kind)
    return found


def pod(manifests: Manifests) -> dict[str, Any]:
    return manifests.job["spec"]["template"]["spec"]


def container(manifests: Manifests) -> dict[str, Any]:
    (found,) = pod(manifests)["containers"]
    return found


def env(manifests: Manifests) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container(manifests)["env"]}


# -- what they are ------------------------------------------------------------------------------------------


def test_replicas_get_names_and_torchruns_variables(tmp_path: Path) -> None:
    trainer(tmp_path)
    made = built(settings(tmp_path), spec(env={}), replicas=2, gpus=1)
    assert kinds(made) == ["Job", "Secret", "ConfigMap", "Service"]
    assert owned(made, "Service")["spec"]["clusterIP"] == "None"
    assert owned(made, "Service")["spec"]["publishNotReadyAddresses"] is True
    job = made.job["spec"]
    assert (job["completionMode"], job["completions"], job["parallelism"]) == ("Indexed", 2, 2)
    assert pod(made)["subdomain"] == owned(made, "Service")["metadata"]["name"] == made.job["metadata"]["name"]
    assert owned(made, "Service")["spec"]["selector"].items() <= job["template"]["metadata"]["labels"].items()
    assert {name: env(made)[name] for name in ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK", "LOCAL_RANK")} == {
        "MASTER_ADDR": f"training-{RUN.job_id}-0.training-{RUN.job_id}",
        "MASTER_PORT": "29500",
        "WORLD_SIZE": "2",
        "RANK": {"fieldRef": {"fieldPath": "metadata.annotations['batch.kubernetes.io/job-completion-index']"}},
        "LOCAL_RANK": "0",
    }


def test_a_queue_gets_its_label_and_keeps_the_job_suspended(tmp_path: Path) -> None:
    trainer(tmp_path)
    free, queued = built(settings(tmp_path), spec()), built(settings(tmp_path, k8s_queue="gpus"), spec())
    assert not free.waits_for_queue
    assert queued.waits_for_queue
    assert queued.job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    assert queued.job["spec"]["suspend"] is free.job["spec"]["suspend"] is True
    complete = {"metadata": {"annotations": {COMPLETE: "true"}}}
    assert queued.resumed == complete
    assert free.resumed == complete | {"spec": {"suspend": False}}
    assert (
        built(settings(tmp_path), spec(), queue="mine").job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "mine"
    )


@pytest.mark.parametrize(
    ("tier", "changes"),
    [("k8s", {}), ("image", {"image": DIGEST}), ("k8s", {"replicas": 3, "gpus": 1, "queue": "q"}),
     ("k8s", {"tolerations": [{"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute"}],
              "node_selector": {"disk": "ssd"}, "cpu_limit": "4"})],
)  # fmt: skip
def test_kubernetes_own_models_know_every_field(tmp_path: Path, tier: str, changes: dict[str, Any]) -> None:
    """A field that they don't know would be dropped here, and by the API server without a word."""
    trainer(tmp_path)
    made = built(settings(tmp_path), spec(), tier=tier, **changes)
    for each in [made.job, *made.owned_by("0000-uid")]:
        assert KINDS[each["kind"]].from_dict(each).to_dict() == each


def test_the_same_attempt_gives_the_same_objects_and_the_next_one_others(tmp_path: Path) -> None:
    trainer(tmp_path)
    first, again = (built(settings(tmp_path), spec()) for _ in range(2))
    assert first == again
    second = built(settings(tmp_path), spec(RunId(RUN.job_id, 2, RUN.trace_id)))
    of = [{(each["kind"], each["metadata"]["name"]) for each in everything(made)} for made in (first, second)]
    assert not of[0] & of[1]


def test_what_a_job_owns_is_owned_from_the_start(tmp_path: Path) -> None:
    trainer(tmp_path)
    made = built(settings(tmp_path), spec(), replicas=2)
    for each in made.owned_by("0000-uid"):
        assert each["metadata"]["ownerReferences"] == [
            {"apiVersion": "batch/v1", "kind": "Job", "name": made.job["metadata"]["name"], "uid": "0000-uid",
             "controller": True}
        ]  # fmt: skip
    assert all("ownerReferences" not in each["metadata"] for each in made.owned)


def test_everything_of_a_run_carries_its_labels_in_the_namespace(tmp_path: Path) -> None:
    trainer(tmp_path)
    made = built(settings(tmp_path, k8s_namespace="ml"), spec(), replicas=2)
    for metadata in [made.job["spec"]["template"]["metadata"], *(each["metadata"] for each in everything(made))]:
        assert metadata["labels"]["trainyard/job-id"] == RUN.job_id
        assert metadata["labels"]["trainyard/trace-id"] == RUN.trace_id
        assert metadata["labels"]["app.kubernetes.io/managed-by"] == "trainyard"
    assert {each["metadata"]["namespace"] for each in everything(made)} == {"ml"}


def test_deadline_and_grace_are_the_settings(tmp_path: Path) -> None:
    trainer(tmp_path)
    made = built(settings(tmp_path, max_job_hours=1.5, grace_seconds=7.2), spec())
    assert made.job["spec"]["activeDeadlineSeconds"] == 5400
    assert pod(made)["terminationGracePeriodSeconds"] == 8
    assert built(settings(tmp_path, max_job_hours=0.0001), spec()).job["spec"]["activeDeadlineSeconds"] == 1


# -- S8: secrets stand in the Secret and nowhere else -----------------------------------------------------------------


@pytest.mark.parametrize("storage", ["minio", "r2"])
def test_s08_no_secret_stands_anywhere_but_in_the_secret(tmp_path: Path, storage: str) -> None:
    trainer(tmp_path)
    given = variables() if storage == "minio" else {"R2_ACCESS_KEY_ID": CANARY, "R2_SECRET_ACCESS_KEY": CANARY}
    given |= {"MLFLOW_TRACKING_URI": f"https://me:{CANARY}@mlflow.example/x"}
    (tmp_path / "trainer-x" / "data.txt").write_text("x" * 800_000)
    (tmp_path / "trainer-x" / "more.txt").write_text("x" * 800_000)  # by S3: its URL is a secret, too
    made = built(settings(tmp_path), spec(env=given), url=f"http://s/code.zip?X-Amz-Signature={CANARY}", replicas=2)
    secret = owned(made, "Secret")
    hidden = secret.pop("stringData")
    assert CANARY not in json.dumps(everything(made))
    assert set(hidden) == {name for name, value in given.items() if CANARY in value} | {"CODE_URL"}
    for name in set(hidden) - {"CODE_URL"}:
        assert env(made)[name] == {"secretKeyRef": {"name": secret["metadata"]["name"], "key": name}}
    assert CANARY not in repr(made)


def test_s08_what_is_shown_has_no_secret(tmp_path: Path) -> None:
    trainer(tmp_path)
    shown = built(settings(tmp_path), spec()).without_secrets()
    assert CANARY not in as_yaml(everything(shown))
    assert owned(shown, "Secret")["stringData"]["CALLBACK_TOKEN"] == f"(in Secret training-secret-{RUN.job_id})"


def test_a_secret_that_is_printed_by_accident_is_not_seen(tmp_path: Path) -> None:
    trainer(tmp_path)
    assert CANARY not in repr(built(settings(tmp_path), spec()))


# -- S9: objects are data, never text ---------------------------------------------------------------------------------


def expanded(text: str, known: dict[str, str]) -> str:
    """As a kubelet reads values and arguments: $(NAME) where NAME is known, $$ is a dollar, all else stays."""
    return re.sub(r"\$\$|\$\(([^)]*)\)", lambda found: "$" if found[0] == "$$" else known.get(found[1], found[0]), text)


NASTY = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["$(CALLBACK_TOKEN)", "$$(JOB_ID)", "$", "a\nkind: Secret", "---\n", "{{ .Values.x }}", "{}", "!!python/name:x",
         "&a *a", "'\"", "no", "1e5", "0x10", "\u2028", "\x85", "|\n  a", "고양이 🐈", "a" * 300]
    ),
)  # fmt: skip


@hypothesis_settings(  # no shrinking: the texts are short, and looking for shorter ones takes minutes
    max_examples=60,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(NASTY, NASTY, NASTY)
def test_s09_any_text_arrives_as_it_was_written(tmp_path: Path, model: str, param: str, job_id: str) -> None:
    if not (tmp_path / "trainer-x").exists():
        trainer(tmp_path)
    given = {"MODEL_NAME": model, "PARAM_NOTE": param, "CALLBACK_TOKEN": CANARY}
    made = built(settings(tmp_path), spec(RunId(job_id, 1, param), given))
    assert list(yaml.safe_load_all(as_yaml(everything(made)))) == everything(made)
    assert json.loads(json.dumps(everything(made))) == everything(made)
    assert kinds(made) == ["Job", "Secret", "ConfigMap"]
    known = {"CALLBACK_TOKEN": CANARY, "JOB_ID": "another"}
    assert {name: expanded(env(made)[name], known) for name in ("MODEL_NAME", "PARAM_NOTE")} == {
        "MODEL_NAME": model, "PARAM_NOTE": param,
    }  # fmt: skip


def test_s09_a_script_may_be_called_what_it_likes(tmp_path: Path) -> None:
    script = trainer(tmp_path) / "$(HOME) ; rm -rf.py"
    script.write_text("")
    made = built(settings(tmp_path), spec(script=script))
    assert container(made)["command"] == ["python", "/code/$$(HOME) ; rm -rf.py"]
    assert expanded(container(made)["command"][1], {"HOME": "/tmp"}) == f"/code/{script.name}"


@pytest.mark.parametrize(
    "text", ["a\u2028b", "\x85", "a\n\x85 b", "\u2029\n", " a\nb ", "\ta\n", "\n", "a\r\nb", "\ufeffa", "\0"]
)
def test_yaml_read_again_is_the_same_text(text: str) -> None:
    assert list(yaml.safe_load_all(as_yaml([{"a": [text]}]))) == [{"a": [text]}]


def test_yaml_reads_the_same_for_readers_that_guess(tmp_path: Path) -> None:
    """Go's reader takes 12e45 for a number: a trace id may look like one."""
    trainer(tmp_path)
    text = as_yaml([built(settings(tmp_path), spec(RunId(RUN.job_id, 1, "12e45"), {"A": "y", "B": "0x1f"})).job])
    assert "trainyard/trace-id: '12e45'" in text
    assert "value: 'y'" in text
    assert "value: '0x1f'" in text


# -- S10: what a pod must not be able to do ---------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["k8s", "image"])
def test_s10_pods_have_no_rights(tmp_path: Path, tier: str) -> None:
    folder = trainer(tmp_path)
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text("x" * 800_000)  # by S3: the init container is looked at, too
    made = pod(built(settings(tmp_path), spec(), tier=tier))
    assert made["automountServiceAccountToken"] is False
    assert made["enableServiceLinks"] is False
    assert made["securityContext"]["runAsNonRoot"] is True
    assert made["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC", "serviceAccountName"} & set(made)
    containers = [*made["containers"], *made.get("initContainers", [])]
    assert len(containers) == (2 if tier == "k8s" else 1)
    for each in containers:
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
    assert all(set(volume) - {"name"} <= {"emptyDir", "configMap"} for volume in made["volumes"])
