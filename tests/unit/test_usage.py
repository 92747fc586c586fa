"""Reading what drivers and clusters say of usage, and how often runs are looked at."""

import subprocess

import pytest

from trainyard.executors.base import GpuUse, Unmeasured, Usage
from trainyard.executors.kubernetes.api import Api, ClusterAway, Object, Refused
from trainyard.executors.kubernetes.podmetrics import NONE_THERE, NOT_ALLOWED, PodMetrics, nanocores, together, used_by
from trainyard.executors.local.gpu_use import GpuTable
from trainyard.jobs.usage import interval

LISTED = {  # as a metrics-server answers
    "kind": "PodMetricsList",
    "items": [
        {
            "metadata": {"name": "training-a-0"},
            "window": "15.2s",
            "containers": [
                {"name": "trainer", "usage": {"cpu": "1500000000n", "memory": "2048Ki"}},
                {"name": "side", "usage": {"cpu": "250m", "memory": "1Mi"}},
            ],
        },
        {"metadata": {"name": "training-a-1"}, "containers": [{"usage": {"cpu": "12345u", "memory": "1Mi"}}]},
        {"metadata": {"name": "broken"}, "containers": [{"usage": {"cpu": "much", "memory": None}}]},
        {"metadata": {"name": "empty"}, "containers": []},
        "garbage",
    ],
}


def pod(name: str, cpu: str | None = "2", memory: str | None = "4Gi") -> Object:
    limits = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    return {"metadata": {"name": name}, "spec": {"containers": [{"resources": {"limits": limits}}]}}


@pytest.mark.parametrize(
    ("said", "cpus"),
    [("2", 2), ("250m", 0.25), ("1n", 1e-9), ("12345678n", 0.012345678), ("500000u", 0.5), ("0", 0), ("", None),
     ("n", None), ("-1n", None), ("much", None)],
)  # fmt: skip
def test_cpus_as_metrics_servers_write_them(said: str, cpus: float | None) -> None:
    assert nanocores(said) == (cpus if cpus is None else pytest.approx(cpus))


def test_the_pods_of_a_run_are_added_up_with_their_limits() -> None:
    used = used_by(LISTED)
    assert used["training-a-0"] == (1.75, 3 << 20)
    assert used["broken"] == used["empty"] == (None, None)
    both = together(used, [pod("training-a-0"), pod("training-a-1")])
    assert both == Usage(cpu_percent=176.2, memory_bytes=4 << 20, cpus=4, memory_limit=8 << 30)
    assert together(used, [pod("training-a-0", cpu=None), pod("not-yet")]) == Usage(
        cpu_percent=175.0, memory_bytes=3 << 20, cpus=None, memory_limit=8 << 30
    )
    assert together(used, [pod("not-yet")]) is None
    assert together(used, []) is None
    assert together(used, [pod("broken", None, None)]) == Usage()
    assert used_by({}) == used_by({"items": None}) == {}


class _Cluster:
    def __init__(self, answer: Object | Exception) -> None:
        self.answer = answer
        self.asked = 0

    def pod_metrics(self) -> Object:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Refused(404, "the server could not find the requested resource"), NONE_THERE),
        (Refused(403, "pods.metrics.k8s.io is forbidden"), NOT_ALLOWED),
        (ClusterAway("The cluster is away."), "What pods use can't be told now: The cluster is away."),
    ],
)
def test_where_nobody_counts_it_says_why(answer: Exception, why: str) -> None:
    cluster = _Cluster(answer)
    metrics = PodMetrics(cast_api(cluster))
    metrics.look()
    for _ in range(3):
        assert metrics.of([pod("training-a-0")]) == Unmeasured(why)
    assert cluster.asked == 1


def test_an_answer_counts_for_a_while() -> None:
    cluster = _Cluster(LISTED)
    metrics = PodMetrics(cast_api(cluster))
    metrics.look()
    for _ in range(3):
        assert metrics.of([pod("training-a-1")]) == Usage(
            cpu_percent=1.2, memory_bytes=1 << 20, cpus=2, memory_limit=4 << 30
        )
    assert cluster.asked == 1


def cast_api(cluster: _Cluster) -> Api:
    return cluster  # type: ignore[return-value]


# -- GPUs -----------------------------------------------------------------------------------------------------------

APPS = "GPU-b, 11, 1024\nGPU-b, 12, 512\nGPU-a, 99, 4096\nGPU-c, 11, [N/A]\nno, row\nGPU-a, x, 1\n"
GPUS = "GPU-a, 0, 5\nGPU-b, 1, 97\nGPU-c, 2, [Not Supported]\n"


def test_a_run_has_the_gpus_that_its_processes_are_on() -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return APPS if "compute-apps" in question else GPUS

    table = GpuTable(ask)
    assert table.of({11, 12}) == (GpuUse(1, 97, 1536 << 20), GpuUse(2, None, None))
    assert table.of({99}) == (GpuUse(0, 5, 4096 << 20),)
    assert table.of({5}) == ()
    assert len(asked) == 2


@pytest.mark.parametrize("failure", [OSError("gone"), subprocess.TimeoutExpired("nvidia-smi", 5)])
def test_a_driver_that_hangs_is_left_alone_for_a_while(failure: Exception) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        raise failure

    table = GpuTable(ask)
    assert [table.of({1}) for _ in range(5)] == [()] * 5
    assert len(asked) == 1


# -- how often ------------------------------------------------------------------------------------------------------


def test_looks_are_close_at_first_and_as_many_for_a_week_as_for_an_hour() -> None:
    assert interval(10, 0, 2_000) == interval(10, 59, 2_000) == 2
    assert interval(0.5, 3, 2_000) == 0.5
    assert interval(10, 61, 2_000) == interval(10, 20_000, 2_000) == 10
    assert interval(10, 20_001, 2_000) == 20
    week = 7 * 24 * 3600
    assert week / interval(10, week, 2_000) <= 2_000
    assert interval(0, week, 2_000) == 0
