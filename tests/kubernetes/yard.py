"""A backend whose jobs run in the cluster: pods reach it through its proxy, and its store past it."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.faults.yard import Yard
from tests.real.backend import wait_for
from tests.real.cluster import POD_HOST, Cluster
from tests.real.proxy import Proxy
from trainyard.executors.bundle import Bundle, File

EVERYWHERE = "0.0.0.0"


class PodProxy(Proxy):
    """One that pods reach as well."""

    host = EVERYWHERE


class ClusterYard(Yard):
    """Jobs run in the cluster unless they say otherwise; small pods, so that several fit on two cores."""

    def __init__(self, folder: Path, s3: Mapping[str, str], cluster: Cluster, image: str, **settings: str) -> None:
        pods_see = cluster.pod_host
        assert pods_see, f"set {POD_HOST} to this machine's address as the cluster's pods see it"
        given = {
            "host": EVERYWHERE,
            "allowed_hosts": pods_see,
            "execution_mode": "k8s",
            "k8s_image": image,
            "k8s_s3_url": f"http://{pods_see}:{urlsplit(s3['TRAINYARD_S3_ENDPOINT']).port}",
            "k8s_mlflow_url": f"http://{pods_see}:9",  # nothing listens on the discard port
            "k8s_cpu": "100m",
            "k8s_memory": "512Mi",
            "silence_seconds": "30",  # a run on this machine may get no CPU while pods start
            "stuck_seconds": "60",  # a pod's Python may take its time to start on a busy machine
        }
        super().__init__(folder, s3, **given | cluster.variables | settings)
        self.cluster = cluster
        self.proxy.close()
        self.proxy = PodProxy(("127.0.0.1", self.port))
        self.env["TRAINYARD_URL"] = self.proxy.url
        self.env["TRAINYARD_K8S_BACKEND_URL"] = f"http://{pods_see}:{self.proxy.port}"

    def wait_until(self, job_id: str, look: Callable[[dict[str, Any]], Any], seconds: float = 120) -> dict[str, Any]:
        """The job, once it looks like that; fails if it ends before."""

        def found() -> dict[str, Any] | None:
            job = self.job(job_id)
            if look(job):
                return job
            assert job["finished_at"] is None, f"ended as {job['state']} ({job['reason']}: {job['message']})"
            return None

        return wait_for(f"{job_id} to look as wanted", found, seconds)

    def send_code(self, files: Mapping[str, str]) -> str:
        """What `train --on k8s` does first; the hash to submit with."""
        bundle = Bundle(tuple(File(path, text.encode(), False) for path, text in sorted(files.items())), ())
        self.ask("PUT", f"/v1/code/{bundle.hash}", content=bundle.archive())
        return bundle.hash

    def close_all(self) -> None:
        """Cancels what is open, and waits until nothing of any job is left: the backend cleans up, not the test."""
        self.make_ready()
        for job in self.ask("GET", "/v1/jobs", params={"limit": 200})["items"]:
            self.wait_closed(job["id"])


@contextmanager
def cluster_yard(
    folder: Path, s3: Mapping[str, str], cluster: Cluster, image: str, **settings: str
) -> Generator[ClusterYard]:
    """Running, with the classification sample. On leaving it has ended and cleaned up all its jobs."""
    yard = ClusterYard(folder, s3, cluster, image, **settings)
    try:
        yard.start().with_sample()
        yield yard
        yard.close_all()
    finally:
        yard.tidy()
