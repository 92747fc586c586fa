"""Tiers 2 and 3: each run is a Kubernetes Job of its own. What it is doing is read from a mirror of the cluster."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from trainyard.contract.resources import Resources
from trainyard.errors import InvalidSetting, NotAvailable, TrainyardError
from trainyard.executors.base import (
    Absent,
    Addresses,
    Alive,
    Attachment,
    Capacity,
    Exited,
    Observation,
    Preparing,
    RunId,
    RunSpec,
    Unmeasured,
    Unseen,
    Usage,
)
from trainyard.executors.codestore import CodeStore
from trainyard.executors.kubernetes import scheduling
from trainyard.executors.kubernetes.addresses import out_of_reach, pod_addresses
from trainyard.executors.kubernetes.api import Api
from trainyard.executors.kubernetes.diagnosis import as_exit
from trainyard.executors.kubernetes.finding import Diagnosis
from trainyard.executors.kubernetes.manifest import Manifests, build
from trainyard.executors.kubernetes.mirror import Mirror
from trainyard.executors.kubernetes.names import TRACE_ID, job_name, label_value
from trainyard.executors.kubernetes.nodes import Nodes
from trainyard.executors.kubernetes.podlog import PodLog
from trainyard.executors.kubernetes.podmetrics import PodMetrics
from trainyard.executors.kubernetes.program import program_of, trainer_in, trainer_of
from trainyard.executors.kubernetes.reading import GONE, TAKEN, Over, Runs, Waits, standing
from trainyard.executors.kubernetes.resources import decide
from trainyard.executors.kubernetes.sending import patiently, send
from trainyard.executors.last_words import last_words
from trainyard.executors.local.run_folder import RunFolder
from trainyard.executors.submitting import Submitting
from trainyard.executors.torchrun import in_processes
from trainyard.settings import Settings

log = logging.getLogger(__name__)
DRAIN_SECONDS = 120.0  # the end of a log that keeps coming may take so long; one that does not, gives up sooner
CONNECT_SECONDS = 2.0
URL_SECONDS = 6 * 3600  # a pod may wait for its node before it fetches its code
_TORCHRUN = PurePosixPath("/tmp/torchrun")  # noqa: S108 - in the pod, which has that folder to itself


@dataclass(slots=True)
class _Memory:
    """What this process noticed of a run. Nothing is lost with it but patience: a restart begins that anew."""

    log: PodLog | None = None
    in_the_way: str = ""
    since: float = 0.0
    over_since: float = 0.0


class KubernetesExecutor:
    """One for both tiers on a cluster: whether code is injected or the image brings it, all else is the same."""

    def __init__(self, settings: Settings, codes: CodeStore) -> None:
        """Reads the kubeconfig, and asks the cluster in the background. Raises NotAvailable, InvalidSetting."""
        self._api = Api.connect(settings)
        problems = out_of_reach(pod_addresses(settings))
        if problems:
            raise InvalidSetting(" ".join(problems), hint="docs/settings.md lists them.", field="execution")
        self._settings = settings
        self._mirror = Mirror(self._api, self._tell)
        self._nodes = Nodes(self._api)
        self._metrics = PodMetrics(self._api)
        self._codes = codes
        self._listener: Callable[[str], None] = lambda job_id: None
        self._lock = threading.Lock()
        self._submitting = Submitting("It is sent to the cluster.")
        self._memories: dict[RunId, _Memory] = {}
        self._deleting: set[RunId] = set()
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="cluster")
        self._mirror.start()

    @property
    def addresses(self) -> Addresses:
        return pod_addresses(self._settings)

    @property
    def capacity(self) -> Capacity | None:
        return None

    def doubts(self, wishes: Resources) -> str:
        return scheduling.too_many_gpus(wishes.gpus, self._nodes.at_first(1.0)) if wishes.gpus else ""

    # -- starting ----------------------------------------------------------------------------------------------------

    def plan(self, spec: RunSpec) -> Manifests:
        """Reads the code from the store."""
        if not spec.code:
            manifest = trainer_of(self._settings, spec.framework)
            needs = decide(self._settings, spec.framework, manifest.resources, spec.resources)
            return build(self._settings, spec, needs, None)
        bundle = self._codes.get(spec.code)
        manifest = trainer_in(bundle) or trainer_of(self._settings, spec.framework)
        needs = decide(self._settings, spec.framework, manifest.resources, spec.resources)
        program = program_of(bundle, manifest, spec.script)
        if manifest.distributed and needs.gpus > 1:
            program = replace(program, command=in_processes(program.command, needs.gpus, _TORCHRUN))
        url = "" if program.archive is None else self._codes.url(spec.code, URL_SECONDS, self.addresses.s3)
        return build(self._settings, spec, needs, program, url)

    def submit(self, spec: RunSpec, say: Callable[[str], None]) -> None:
        """Never twice: what was sent once and is gone has been deleted, and is not made again."""
        folder = self._folder(spec.run)
        with self._submitting.under_way(spec.run, say) as tell:
            if _sent(folder).exists() or folder.is_cancelled:
                return
            folder.make()
            job = send(self._api, patiently(lambda: self.plan(spec), tell), tell)
            self._mirror.note(job)
            _sent(folder).touch()
        if folder.is_cancelled:
            self._delete_soon(spec.run)

    def attachment(self, spec: RunSpec) -> Attachment:
        raise NotAvailable("A terminal can't be the parent of a pod.", hint="`--watch` shows its log as it comes.")

    # -- looking -----------------------------------------------------------------------------------------------------

    def observe(self, run: RunId) -> Observation:
        message = self._submitting.message(run)
        with self._lock:
            memory = self._memories.setdefault(run, _Memory())
        if message is not None:
            return Preparing(message)
        away, folder = self._mirror.away, self._folder(run)
        if away:
            memory.in_the_way, memory.over_since = "", 0.0  # patience is for what is seen
            return Unseen(away)
        stands = self._standing(run)
        if stands is not None and not _sent(folder).exists():  # whoever sent it died before noting that
            folder.make()
            _sent(folder).touch()
        match stands:
            case None:
                return self._nothing(run, folder)
            case Waits(message, found, nearly):
                if nearly:
                    self._follow(run, folder, memory)
                return self._waiting(run, folder, memory, message, found)
            case Runs(started_at):
                follower = self._follow(run, folder, memory)
                if follower is not None:
                    follower.pod_started()
                return Alive(started_at)
            case Over(found, at):
                return self._over(run, folder, memory, found, at)

    def usage(self, run: RunId) -> Usage | Unmeasured | None:
        return self._metrics.of([pod for pod in self._mirror.pods(run) if self._mirror.is_there(pod)])

    def _standing(self, run: RunId) -> Waits | Runs | Over | None:
        name, pods = job_name(run), self._mirror.pods(run)
        events = self._mirror.events([name, *(str(pod["metadata"]["name"]) for pod in pods)])
        waiting = any(event.get("reason") == "FailedScheduling" for event in events)
        nodes = self._nodes.known() if waiting else []
        return standing(self._mirror.job(name), pods, self._mirror.is_there, events, nodes)

    def _nothing(self, run: RunId, folder: RunFolder) -> Observation:
        if folder.is_cancelled:
            return self._end(run, folder, None, 0.0)
        if _sent(folder).exists():
            return self._end(run, folder, TAKEN if _taken(folder).exists() else GONE, 0.0)
        with self._lock:
            self._memories.pop(run, None)
        return Absent()

    def _waiting(
        self, run: RunId, folder: RunFolder, memory: _Memory, message: str, found: Diagnosis | None
    ) -> Observation:
        now = time.monotonic()
        way = "" if found is None else f"{found.reason} {found.message}"
        if way != memory.in_the_way:
            memory.in_the_way, memory.since = way, now
        if found is None:
            return Preparing(message)
        if now - memory.since >= found.patience:
            return self._end(run, folder, found, time.time())
        return Preparing(message, found.reason, found.evidence)

    def _over(self, run: RunId, folder: RunFolder, memory: _Memory, found: Diagnosis | None, at: float) -> Observation:
        memory.over_since = memory.over_since or time.monotonic()
        follower = self._follow(run, folder, memory)
        late = time.monotonic() - memory.over_since > DRAIN_SECONDS
        if follower is not None and not follower.drained and not late:
            return Unseen("The end of its log is on its way.")
        if found is not None and found.relaunch:
            _taken(folder).touch()  # known also once its objects are deleted for the next attempt
        return self._end(run, folder, found, at)

    def _end(self, run: RunId, folder: RunFolder, found: Diagnosis | None, at: float) -> Exited:
        """Its end, with what the log says of it. Reads the end of the log, never all of it."""
        said = last_words(run, folder.log)
        return as_exit(
            found,
            receipt=said.receipt,
            tail=said.tail,
            traceback=said.traceback,
            at=at or time.time(),
            stopped_on_request=folder.is_cancelled,
        )

    def _follow(self, run: RunId, folder: RunFolder, memory: _Memory) -> PodLog | None:
        """The first replica's log is the job's: of several processes one speaks for all."""
        pods = self._mirror.pods(run)
        if memory.log is None and pods:
            folder.make()
            limit = self._settings.log_limit_mb
            memory.log = PodLog.of_pod(self._api, str(pods[0]["metadata"]["name"]), folder.path, run.trace_id, limit)
            memory.log.start()
        if memory.log is not None and memory.over_since:
            memory.log.pod_ended()
        return memory.log

    # -- ending ------------------------------------------------------------------------------------------------------

    def cancel(self, run: RunId) -> None:
        """Deleting the Job sends its pods SIGTERM; the kubelet sees to the grace period, whether we live or not."""
        folder = self._folder(run)
        if not folder.is_cancelled:
            folder.mark_cancelled()
        self._delete_soon(run)

    def _delete_soon(self, run: RunId) -> None:
        with self._lock:
            if run in self._deleting or self._submitting.message(run) is not None:
                return
            self._deleting.add(run)
        self._pool.submit(self._delete_now, run)

    def _delete_now(self, run: RunId) -> None:
        with self._lock:
            memory = self._memories.get(run)
        if memory is not None and memory.log is not None:
            memory.log.wait_until_connected(CONNECT_SECONDS)
        try:
            self._delete(run)
        except TrainyardError as error:  # whoever wants it gone asks again with the next look
            log.warning("the Job of %s could not be deleted yet: %s", run.job_id, error)
        finally:
            with self._lock:
                self._deleting.discard(run)

    def clean_up(self, run: RunId) -> None:
        """Deletes the Job and all it owns. Raises where the cluster refuses or is away: it is asked again."""
        self._delete(run)
        with self._lock:
            memory = self._memories.pop(run, None)
        if memory is not None and memory.log is not None:
            memory.log.close()
        self._mirror.forget(run)

    def _delete(self, run: RunId) -> None:
        """Its Job, and not one of that name that another installation made."""
        job = self._mirror.job(job_name(run))
        if job is None or job["metadata"]["labels"].get(TRACE_ID) == label_value(run.trace_id):
            self._api.delete("Job", job_name(run))

    def log_path(self, run: RunId) -> Path | None:
        folder = self._folder(run)
        return folder.log if folder.path.is_dir() else None

    def watch(self, changed: Callable[[str], None]) -> None:
        self._listener = changed

    def close(self) -> None:
        self._mirror.close()
        with self._lock:
            followers = [memory.log for memory in self._memories.values() if memory.log is not None]
        for follower in followers:
            follower.close()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._api.close()

    def _tell(self, job_id: str) -> None:
        self._listener(job_id)

    def _folder(self, run: RunId) -> RunFolder:
        return RunFolder.of(self._settings.runs_dir, run)


def _sent(folder: RunFolder) -> Path:
    return folder.path / "sent"


def _taken(folder: RunFolder) -> Path:
    return folder.path / "taken"
