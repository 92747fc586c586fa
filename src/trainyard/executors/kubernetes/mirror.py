"""What the cluster holds of ours, kept up by one watch a kind however many jobs there are, and read without a network.

A watch that ends or breaks goes on from where it was; where the server has forgotten that (410) everything is listed
anew. While a watch is down, what is known may be old: `away` says so, and nobody concludes anything from it.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from trainyard.executors.base import RunId
from trainyard.executors.kubernetes.api import Api, ClusterAway, Kind, Object, Refused
from trainyard.executors.kubernetes.fields import Fields
from trainyard.executors.kubernetes.names import ATTEMPT, JOB_ID, MANAGED_BY, TRACE_ID, label_value, selector

log = logging.getLogger(__name__)
OURS = ",".join(f"{name}={value}" for name, value in MANAGED_BY.items())
WATCH_SECONDS = 50  # the server ends a watch then; a line that is dead without a word is noticed a little later
SILENCE_SECONDS = 65.0
SHORTEST, LONGEST = 0.5, 10.0  # seconds between two tries
MOST_EVENTS = 20  # kept of one object
MOST_OBJECTS = 2_000  # whose events are kept


class _Gone(Exception):
    """The server no longer knows where our watch was."""


class Mirror:
    """For any thread. `changed(job_id)` is called from a thread of its own after each change of a Job or pod."""

    def __init__(self, api: Api, changed: Callable[[str], None]) -> None:
        self._api = api
        self._changed = changed
        self._lock = threading.Lock()
        self._jobs: dict[str, Object] = {}
        self._pods: dict[str, Object] = {}
        self._ended: dict[str, Object] = {}  # pods that are gone, as they last were, until their run is forgotten
        self._of_run: dict[tuple[str, str], set[str]] = {}  # the uids of a run's pods in these two
        self._forgotten: set[str] = set()  # uids of pods that need not be remembered once they are gone
        self._events: dict[str, dict[str, Object]] = {}  # by the name of what they are about, then by their own
        self._away: dict[Kind, str] = {"Job": "the cluster was not asked yet", "Pod": "the cluster was not asked yet"}
        self._closed = threading.Event()
        self._threads = [
            threading.Thread(target=self._follow, args=(kind,), name=f"watch-{kind.lower()}s", daemon=True)
            for kind in ("Job", "Pod", "Event")
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """The watches end with their next line, or with the process."""
        self._closed.set()

    # -- reading -----------------------------------------------------------------------------------------------------

    @property
    def away(self) -> str:
        """Why what is known may be old; empty: it is not."""
        with self._lock:
            return next(iter(self._away.values()), "")

    def job(self, name: str) -> Object | None:
        with self._lock:
            return self._jobs.get(name)

    def pods(self, run: RunId) -> list[Object]:
        """Those of one attempt, with those that are gone as they last were; the first replica first."""
        with self._lock:
            uids = self._of_run.get(_run_of(selector(run)), ())
            found = [self._pods.get(uid) or self._ended[uid] for uid in uids]
        trace = label_value(run.trace_id)  # another installation may have made a job of that id
        return sorted((pod for pod in found if _labels(pod).get(TRACE_ID) == trace), key=_rank)

    def is_there(self, pod: Fields) -> bool:
        with self._lock:
            return pod["metadata"]["uid"] in self._pods

    def events(self, names: Iterable[str]) -> list[Object]:
        """What the cluster said of these objects, the oldest first."""
        with self._lock:
            found = [event for name in names for event in self._events.get(name, {}).values()]
        return sorted(found, key=_when)

    def note(self, job: Object) -> None:
        """A Job that we just made or changed: the watch may tell of it only later."""
        with self._lock:
            _newer(self._jobs, job["metadata"]["name"], job)

    def forget(self, run: RunId) -> None:
        """An attempt that is over and done with. Pods of it that are still there are forgotten as they go."""
        with self._lock:
            for uid in list(self._of_run.get(_run_of(selector(run)), ())):
                if uid in self._pods:
                    self._forgotten.add(uid)
                else:
                    self._drop(uid, self._ended.pop(uid))

    # -- following ---------------------------------------------------------------------------------------------------

    def _follow(self, kind: Kind) -> None:
        version, pause = "", SHORTEST
        while not self._closed.is_set():
            try:
                version = version or self._list(kind)
                began = time.monotonic()
                version = self._watch(kind, version)
                pause = SHORTEST
                if time.monotonic() - began < SHORTEST:  # a server that ends each at once is not to be asked for ever
                    self._closed.wait(pause)
                continue
            except _Gone:
                version = ""
                continue
            except (ClusterAway, Refused) as error:
                # a watch that went on would not say when it has told all that happened meanwhile: until then a pod
                # that ended long ago would count as running, and be killed with the end of its log unread
                version = ""
                self._tell_away(kind, str(error))
            except Exception as error:
                log.exception("the watch of %ss broke", kind)
                version = ""
                self._tell_away(kind, f"{type(error).__name__}: {error}")
            self._closed.wait(pause)
            pause = min(pause * 2, LONGEST)

    def _tell_away(self, kind: Kind, why: str) -> None:
        if kind == "Event":  # they explain; nothing hangs on them, and an account may lack the right to read them
            return
        with self._lock:
            known = self._away.get(kind)
            self._away[kind] = why
        if known != why:
            log.warning("the cluster is away: %s", why)

    def _list(self, kind: Kind) -> str:
        query = {} if kind == "Event" else {"labelSelector": OURS}
        told = self._api.list(kind, **query)
        version = str(told["metadata"]["resourceVersion"])
        with self._lock:
            self._replace(kind, [{"kind": kind, **item} for item in told["items"]], version)
            self._away.pop(kind, None)
            known = {_job_id(item) for item in (*self._jobs.values(), *self._pods.values(), *self._ended.values())}
        for job_id in known if kind != "Event" else ():
            self._changed(job_id)
        return version

    def _replace(self, kind: Kind, items: list[Object], version: str) -> None:
        if kind == "Event":
            self._events.clear()
            for item in items:
                self._add_event(item)
            return
        known = self._jobs if kind == "Job" else self._pods
        listed = {_key(kind, item): item for item in items}
        for key, old in list(known.items()):
            if key not in listed and _version(old) <= int(version):  # else it was made after the list
                del known[key]
                if kind == "Pod":
                    self._note_end(key, old)
        for key, item in listed.items():
            self._note(kind, key, item)

    def _note(self, kind: Kind, key: str, item: Object) -> None:
        _newer(self._jobs if kind == "Job" else self._pods, key, item)
        if kind == "Pod":
            self._of_run.setdefault(_run_of(_labels(item)), set()).add(key)

    def _note_end(self, uid: str, pod: Object) -> None:
        if uid not in self._forgotten:
            self._ended[uid] = pod
            while len(self._ended) > MOST_OBJECTS:  # of other installations, which forget their own
                oldest = next(iter(self._ended))
                self._drop(oldest, self._ended.pop(oldest))
            self._of_run.setdefault(_run_of(_labels(pod)), set()).add(uid)
            return
        self._forgotten.discard(uid)
        self._drop(uid, pod)

    def _drop(self, uid: str, pod: Object) -> None:
        uids = self._of_run.get(_run_of(_labels(pod)), set())
        uids.discard(uid)
        if not uids:
            self._of_run.pop(_run_of(_labels(pod)), None)

    def _watch(self, kind: Kind, version: str) -> str:
        query = {"resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH_SECONDS)}
        query |= {} if kind == "Event" else {"labelSelector": OURS}
        try:
            with self._api.watch(kind, query, SILENCE_SECONDS) as changes:
                for change in changes:
                    if self._closed.is_set():
                        break
                    version = self._take(kind, change["type"], change["object"]) or version
        except Refused as refused:
            raise _Gone if refused.status == 410 else refused from None
        return version

    def _take(self, kind: Kind, what: str, item: Object) -> str:
        if what == "ERROR":
            if item.get("code") == 410:
                raise _Gone
            raise ClusterAway(f"The cluster ended a watch: {item.get('message')}")
        version = str(item["metadata"]["resourceVersion"])
        if what == "BOOKMARK":
            return version
        with self._lock:
            if kind == "Event":
                self._add_event(item)
                return version
            known, key = (self._jobs if kind == "Job" else self._pods), _key(kind, item)
            if what == "DELETED":
                known.pop(key, None)
                if kind == "Pod":
                    self._note_end(key, item)
            else:
                self._note(kind, key, item)
        self._changed(_job_id(item))
        return version

    def _add_event(self, event: Object) -> None:
        about = str(event.get("involvedObject", {}).get("name", ""))
        if not about.startswith("training-"):
            return
        known = self._events.setdefault(about, {})
        known[event["metadata"]["name"]] = event
        while len(known) > MOST_EVENTS:
            del known[next(iter(known))]
        while len(self._events) > MOST_OBJECTS:
            del self._events[next(iter(self._events))]


def _key(kind: Kind, item: Object) -> str:
    """Jobs by their name, which is made from (job, attempt); a pod's name says nothing."""
    return str(item["metadata"]["name" if kind == "Job" else "uid"])


def _newer(known: dict[str, Object], key: str, item: Object) -> None:
    old = known.get(key)
    if old is None or _version(old) <= _version(item) or old["metadata"]["uid"] != item["metadata"]["uid"]:
        known[key] = item


def _version(item: Object) -> int:
    return int(item["metadata"]["resourceVersion"])


def _labels(item: Object) -> dict[str, Any]:
    return item["metadata"].get("labels") or {}


def _run_of(labels: dict[str, Any]) -> tuple[str, str]:
    return str(labels.get(JOB_ID, "")), str(labels.get(ATTEMPT, ""))


def _rank(pod: Object) -> tuple[int, str]:
    notes: dict[str, str] = pod["metadata"].get("annotations") or {}
    return int(notes.get("batch.kubernetes.io/job-completion-index", "0")), str(pod["metadata"]["creationTimestamp"])


def _job_id(item: Object) -> str:
    return str(_labels(item).get(JOB_ID, ""))


def _when(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp"))
