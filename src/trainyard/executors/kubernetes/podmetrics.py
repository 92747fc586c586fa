"""What pods use, as the cluster's metrics-server tells it (metrics.k8s.io); looked up in the background."""

import threading
import time
from collections.abc import Iterable, Sequence

from trainyard.errors import TrainyardError
from trainyard.executors.base import Unmeasured, Usage
from trainyard.executors.kubernetes.api import Api, ClusterAway, Object, Refused
from trainyard.executors.kubernetes.fields import Fields, each, quantity, text

KEPT_SECONDS = 10.0  # metrics-server itself looks every fifteen
AGAIN_SECONDS = 300.0  # where there is none, one may be installed
NONE_THERE = "This cluster has no metrics-server, so nobody counts what pods use."
NOT_ALLOWED = "The backend's account may not see what pods use: it lacks `list pods` in metrics.k8s.io."


class PodMetrics:
    """For any thread; never waits for the cluster."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._used: dict[str, tuple[float | None, float | None]] | None = None  # by pod: CPUs, bytes
        self._why = ""
        self._due = 0.0
        self._asking = False

    def of(self, pods: Sequence[Fields]) -> Usage | Unmeasured | None:
        """Of a run's pods together; None where the answer is on its way, or does not know them yet."""
        with self._lock:
            ask = time.monotonic() >= self._due and not self._asking
            self._asking = self._asking or ask
            used, why = self._used, self._why
        if ask:
            threading.Thread(target=self.look, name="pod-metrics", daemon=True).start()
        if used is None:
            return Unmeasured(why) if why else None
        return together(used, pods)

    def look(self) -> None:
        """Ask the cluster now, and wait for it."""
        used, why, pause = None, "", KEPT_SECONDS
        try:
            used = used_by(self._api.pod_metrics())
        except ClusterAway as away:
            # a metrics-server that is down is answered for with 503, as a cluster that is
            why = f"What pods use can't be told now: {away.message}"
        except Refused as refused:
            why, pause = NONE_THERE if refused.status == 404 else NOT_ALLOWED, AGAIN_SECONDS
        except TrainyardError as error:
            why = error.message
        finally:
            with self._lock:
                self._used, self._why, self._asking = used, why, False
                self._due = time.monotonic() + pause


def used_by(listed: Object) -> dict[str, tuple[float | None, float | None]]:
    """A PodMetricsList as CPUs and bytes by pod, its containers added up. Pure."""
    found: dict[str, tuple[float | None, float | None]] = {}
    for item in each(listed, "items"):
        containers = each(item, "containers")
        cpu = _sum(nanocores(text(one, "usage", "cpu")) for one in containers)
        memory = _sum(quantity(text(one, "usage", "memory")) for one in containers)
        found[text(item, "metadata", "name")] = (cpu, memory)
    return found


def together(used: dict[str, tuple[float | None, float | None]], pods: Sequence[Fields]) -> Usage | None:
    """Of those of the pods that are known; with the limits of all of them. Pure."""
    found = [used[name] for pod in pods if (name := text(pod, "metadata", "name")) in used]
    if not found:
        return None
    cpu, memory = _sum(one[0] for one in found), _sum(one[1] for one in found)
    containers = [one for pod in pods for one in each(pod, "spec", "containers")]
    room = _sum(quantity(text(one, "resources", "limits", "memory")) for one in containers)
    # a pod without a limit of CPUs may have more than it asked for: then nobody knows the most
    cpus = [quantity(text(one, "resources", "limits", "cpu")) for one in containers]
    return Usage(
        cpu_percent=None if cpu is None else round(100 * cpu, 1),
        memory_bytes=None if memory is None else int(memory),
        cpus=_sum(cpus) if None not in cpus else None,
        memory_limit=None if room is None else int(room),
    )


def nanocores(said: str) -> float | None:
    """CPUs as metrics-server writes them: 12345678n, 12345u, 250m, 2."""
    for unit, factor in (("n", 1e-9), ("u", 1e-6)):
        if said.endswith(unit):
            digits = said.removesuffix(unit)
            return int(digits) * factor if digits.isdecimal() else None
    return quantity(said)


def _sum(values: Iterable[float | None]) -> float | None:
    """Of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None
