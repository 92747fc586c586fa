"""From an edit to the edited line out of a pod, beside plain kubectl; and 200 jobs that are submitted at once.

Run it where the tests' cluster is reached, once that is ready (root on Debian or Ubuntu makes one):
    python -m tests.real.testkube ready
    python -m tests.real.testkube within .venv/bin/python -m bench.cluster

The peer gets the same objects in its best order at one go: Secret and ConfigMap, then the Job, not suspended, by one
`kubectl create -f`; then `kubectl logs -f`, again and again until the container runs, as it gives up before that. They
take turns. Names as arguments choose a part: edits, crowd.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import psutil

from bench.asked import Asked
from tests.kubernetes.yard import EVERYWHERE, ClusterYard
from tests.real.backend import wait_for
from tests.real.cluster import OwnNamespace, connect, own_namespace, trainer_image
from tests.real.s3server import own_bucket, running_s3
from trainyard.contract.environment import JobFacts, Platform, environment, script_extras
from trainyard.contract.resources import Resources
from trainyard.executors.base import RunId, RunSpec
from trainyard.executors.bundle import bundle_folder
from trainyard.executors.kubernetes.manifest import build
from trainyard.executors.kubernetes.program import program_of, trainer_in
from trainyard.executors.kubernetes.resources import decide
from trainyard.settings import Settings

PAIRS, JOBS, CLIENTS = 10, 200, 32
SAMPLE_SECONDS = 1.0
SCRIPT = 'import time\nprint("edit", "{mark}", repr(time.time()), flush=True)\n'
TOML = """framework = "trivial"
title = "Trivial"
callbacks = false
[tasks.classify]
models = ["none"]
default_model = "none"
best_metric = "none"
[params.epochs]
type = "int"
default = 1
"""


@dataclass(frozen=True)
class Took:
    """Seconds from the edit."""

    printed: float  # by the pod's clock, which is this machine's where the cluster is
    seen: float


class Bench:
    def __init__(self, folder: Path, yard: ClusterYard, space: OwnNamespace, settings: Settings) -> None:
        self.folder, self.yard, self.space, self.settings = folder, yard, space, settings

    def edit(self) -> str:
        mark = token_hex(6)
        (self.folder / "train.py").write_text(SCRIPT.format(mark=mark))
        return mark

    # -- an edit, three ways -----------------------------------------------------------------------------------------

    def through_api(self) -> Took:
        begun, mark = time.time(), self.edit()
        bundle = bundle_folder(self.folder)
        self.yard.ask("PUT", f"/v1/code/{bundle.hash}", content=bundle.archive())
        job = self._submit({"framework": "trivial", "code": bundle.hash})
        with self.yard.http.sse(f"/v1/jobs/{job}/log/stream") as frames:
            text = ""
            for frame in frames:
                text += json.loads(frame.data) if frame.event == "message" else ""
                if mark in text and text.endswith("\n"):
                    break
        took = _took(begun, mark, text)
        self.yard.wait_closed(job, 60)
        return took

    def through_cli(self) -> Took:
        begun, mark = time.time(), self.edit()
        argv = [sys.executable, "-m", "trainyard.cli.main", "train", "-f", "trivial", "--on", "k8s", "--watch"]
        took, job = None, ""
        with subprocess.Popen(
            argv, env=self.yard.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as cli:
            assert cli.stdout is not None
            for line in cli.stdout:
                took = took or (_took(begun, mark, line) if mark in line else None)
                job += line
        assert took is not None, f"it printed no {mark}:\n{job}"
        self.yard.close_all()
        return took

    def through_kubectl(self) -> Took:
        begun, mark = time.time(), self.edit()
        objects = self._objects(f"job-bench-{mark}")
        name = objects[-1]["metadata"]["name"]
        self.space.kubectl(
            "create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        )
        argv = ["kubectl", "--kubeconfig", str(self.space.kubeconfig), "--namespace", self.space.namespace]
        took = wait_for("the line", lambda: _followed([*argv, "logs", "-f", f"job/{name}"], begun, mark), 60)
        self.space.kubectl("delete", *(f"{one['kind']}/{one['metadata']['name']}" for one in objects))
        return took

    def _objects(self, job_id: str) -> list[dict[str, Any]]:
        """What the executor would send, with the Job at the end and not suspended."""
        bundle = bundle_folder(self.folder)
        manifest = trainer_in(bundle)
        assert manifest is not None
        facts = JobFacts(job_id, token_hex(8), 1, "default", "classify", "trivial", "none", "", {"epochs": 1})
        url = self.yard.env["TRAINYARD_K8S_BACKEND_URL"]
        platform = Platform(url, url, "minio", url, "bench", 10, 4, "key", "secret", "token")
        variables = environment(facts, platform) | script_extras(facts, platform)
        spec = RunSpec(RunId(job_id, 1, facts.trace_id), "trivial", variables)
        needs = decide(self.settings, "trivial", manifest.resources, Resources())
        made = build(self.settings, spec, needs, program_of(bundle, manifest, None))
        return [*made.owned, {**made.job, "spec": {**made.job["spec"], "suspend": False}}]

    def _submit(self, body: dict[str, Any]) -> str:
        return str(self.yard.ask("POST", "/v1/jobs", json=body)["id"])

    # -- a crowd -----------------------------------------------------------------------------------------------------

    def crowd(self, noted: Path) -> None:
        self.edit()
        bundle = bundle_folder(self.folder)
        self.yard.ask("PUT", f"/v1/code/{bundle.hash}", content=bundle.archive())
        body = {"framework": "trivial", "code": bundle.hash, "resources": {"cpu": "10m", "memory": "64Mi"}}
        assert self.yard.process is not None
        backend = psutil.Process(self.yard.process.pid)
        before, used = _memory(backend), sum(backend.cpu_times()[:2])
        begun = time.time()
        with ThreadPoolExecutor(CLIENTS) as clients:
            ids = set(clients.map(self._submit, [body] * JOBS))
        submitted = time.time() - begun
        most = threads = 0
        slowest, ended = 0.0, 0.0
        while True:
            asked_at = time.perf_counter()
            jobs = self.yard.ask("GET", "/v1/jobs", params={"limit": 200})["items"]
            slowest = max(slowest, time.perf_counter() - asked_at)
            most, threads = max(most, _memory(backend)), max(threads, backend.num_threads())
            if not ended and all(job["finished_at"] for job in jobs):
                ended = time.time() - begun
            if all(job["closed_at"] for job in jobs) or time.time() - begun > 1800:
                break
            time.sleep(SAMPLE_SECONDS)
        closed = time.time() - begun
        jobs = [job for job in jobs if job["id"] in ids]
        ends = Counter(f"{job['state']} {job['reason']}" for job in jobs)
        whole = sum(self.yard.log_text(job_id).count("edit ") == 1 for job_id in ids)
        print(f"{JOBS} jobs, submitted within {submitted:.1f} s: {dict(ends)}; {whole} logs hold their line once")
        print(f"all ended after {ended:.1f} s; all cleaned up and archived after {closed:.1f} s; ", end="")
        print(
            f"backend: {sum(backend.cpu_times()[:2]) - used:.1f} s of CPU, its slowest job list {slowest * 1000:.0f} ms"
        )
        print(f"memory of the backend (PSS): {before:.0f} MB before, at most {most:.0f} MB, ", end="")
        print(f"{_memory(backend):.0f} MB after; at most {threads} threads")
        _show_asked(Asked.read(noted, begun, begun + closed), closed)


def _took(begun: float, mark: str, text: str) -> Took:
    seen = time.time() - begun
    line = next(line for line in text.splitlines() if mark in line)
    return Took(float(line.split()[-1]) - begun, seen)


def _followed(argv: list[str], begun: float, mark: str) -> Took | None:
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        return _took(begun, mark, line) if mark in line else None


def _memory(process: psutil.Process) -> float:
    return process.memory_full_info().pss / 2**20


def _show(name: str, values: list[float]) -> None:
    print(f"{name:46} {statistics.median(values):8.2f} {min(values):8.2f} {max(values):8.2f}")


def _show_asked(asked: Asked, seconds: float) -> None:
    total = sum(asked.sent.values())
    print(f"the API server was asked {total} times: {total / seconds:.1f} a second, ", end="")
    print(
        f"at most {asked.most_in_a_second} within one; {total / JOBS:.2f} times a job; refused: {dict(asked.refused)}"
    )
    for what, times in asked.sent.most_common():
        opened = f"; at most {asked.most_open[what]} open at once" if asked.most_open[what] else ""
        print(f"  {times:6} {what}{opened}")


def edits(bench: Bench) -> None:
    for way in (bench.through_api, bench.through_kubectl, bench.through_cli):
        way()  # all warm
    ours: list[Took] = []
    plain: list[Took] = []
    command: list[Took] = []
    for _ in range(PAIRS):
        ours.append(bench.through_api())
        plain.append(bench.through_kubectl())
        command.append(bench.through_cli())
    print(f"{PAIRS} rounds, s{'':34}   median      min      max")
    for name, found in (("kubectl create", plain), ("PUT code + submit", ours), ("trainyard train --on k8s", command)):
        _show(f"edit → line printed, {name}", [took.printed for took in found])
        _show(f"edit → line seen, {name}", [took.seen for took in found])
    for name, found in (("PUT code + submit", ours), ("trainyard train", command)):
        for what in ("printed", "seen"):
            times = statistics.median(getattr(took, what) for took in found)
            peer = statistics.median(getattr(took, what) for took in plain)
            print(f"{name}, {what}: {times / peer:.2f} times kubectl")


@contextmanager
def _prepared(folder: Path, noted: Path) -> Generator[Bench]:
    trainer, s3_folder = folder / "trainer-trivial", folder / "s3"
    trainer.mkdir()
    s3_folder.mkdir()
    (trainer / "trainer.toml").write_text(TOML)
    image, cluster = trainer_image("sklearn", with_code=False), connect()
    with (
        running_s3(s3_folder, EVERYWHERE) as server,
        own_namespace(cluster, 60) as space,
        own_namespace(cluster, 60) as peers,
        own_bucket(server, folder) as s3,
    ):
        yard = ClusterYard(folder, s3, space, image, trainers_dir=str(folder), stuck_seconds="1800")
        settings = peers.settings(k8s_image=image, k8s_cpu="100m", k8s_memory="512Mi")
        before = f"import pathlib, bench.asked\nbench.asked.note_requests(pathlib.Path({str(noted)!r}))"
        try:
            yard.start(before=before)
            yield Bench(trainer, yard, peers, settings)
            yard.close_all()
        finally:
            yard.tidy()


def main() -> None:
    chosen = sys.argv[1:] or ["edits", "crowd"]
    with tempfile.TemporaryDirectory(prefix="ty-bench-") as name:
        noted = Path(name) / "asked"
        with _prepared(Path(name), noted) as bench:
            if "edits" in chosen:
                edits(bench)
            if "crowd" in chosen:
                bench.crowd(noted)


if __name__ == "__main__":
    main()
