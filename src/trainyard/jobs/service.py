"""Submitting, cancelling, retrying, resuming and changing jobs: what the API calls. Knows no HTTP and no executor."""

import hashlib
import logging
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from trainyard.contract.keys import new_job_id, new_trace_id
from trainyard.contract.resources import Resources
from trainyard.contract.vocabulary import Execution, Reason, State
from trainyard.datasets.standings import require_ready
from trainyard.db.engine import Database
from trainyard.db.tables import datasets, projects
from trainyard.errors import Conflict, InvalidInput, NotAvailable
from trainyard.events import log as events
from trainyard.executors.base import Executor
from trainyard.jobs import repository, requests
from trainyard.jobs.checkpoints import Checkpoints
from trainyard.jobs.model import Job
from trainyard.jobs.requests import ChangeJob, ResumeJob, RetryJob, SubmitJob
from trainyard.jobs.resume import Origin, plan, require_resumable
from trainyard.jobs.shipping import Shipment, Shipping, stays_here
from trainyard.jobs.trainers import Catalog
from trainyard.jobs.transition import move

log = logging.getLogger(__name__)


class JobService:
    """`wake` is called after every change that the reconciler should look at."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        checkpoints: Checkpoints,
        default_execution: Execution,
        executor: Callable[[Execution], Executor],
        wake: Callable[[], None],
        shipping: Shipping | None = None,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._checkpoints = checkpoints
        self._default_execution = default_execution
        self._executor = executor
        self._wake = wake
        self._shipping = shipping

    # -- submit ----------------------------------------------------------------------------------------------------

    def submit(
        self,
        request: SubmitJob,
        *,
        idempotency_key: str | None = None,
        origin: Origin | None = None,
        by: str | None = None,
    ) -> tuple[Job, bool]:
        """Store a job; (job, True), or (the job of the same Idempotency-Key, False). Blocking. `by` is a user's name.

        Raises InvalidInput naming the field, before anything is stored.
        """
        execution = request.execution or self._default_execution
        shipment = self._prepare(request, execution)
        prefix = _prefix(request, origin)
        values = _values(request, execution, shipment)
        values |= {"id": new_job_id(prefix), "idempotency_key": idempotency_key, "created_by": by}
        values["message"] = self._executor(execution).doubts(shipment.resources)
        if origin is not None:
            values |= _from(origin, values["request_hash"])

        def store(conn: sa.Connection) -> tuple[Job, bool]:
            if idempotency_key is not None:
                known = repository.by_idempotency_key(conn, request.project_id, idempotency_key)
                if known is not None:
                    return _same_request(known, values["request_hash"]), False
            _require_project(conn, request.project_id)
            complete = values | _fitted(conn, request, shipment)
            while repository.find(conn, complete["id"]) is not None:  # four letters a second can meet again
                complete["id"] = new_job_id(prefix)
            repository.insert(conn, complete)
            events.append(
                conn,
                project_id=request.project_id,
                job_id=complete["id"],
                attempt=1,
                type="state",
                message=origin.words if origin else "Submitted.",
                data={"from": None, "to": State.PENDING, **_who(by)},
            )
            return repository.get(conn, complete["id"]), True

        job, created = self._database.write(store)
        if created:
            log.info("job submitted", extra={"job_id": job.id, "trace_id": job.trace_id})
            self._wake()
        return job, created

    def _prepare(self, request: SubmitJob, execution: Execution) -> Shipment:
        """What it runs. May ask the store. Raises InvalidInput, NotAvailable or TooLarge."""
        manifest = self._catalog.manifest(request.framework)
        folder = self._catalog.find(request.framework).folder
        self._executor(execution)  # raises NotAvailable where this installation has no such tier
        _check_script(request, execution)
        if execution is Execution.LOCAL:
            return stays_here(request, manifest, folder)
        if self._shipping is None:
            raise NotAvailable("This backend sends nothing to a cluster.", field="execution")
        return self._shipping.prepare(request, execution, manifest, folder)

    # -- afterwards ------------------------------------------------------------------------------------------------

    def cancel(self, job_id: str, by: str | None = None) -> Job:
        """Cancel now where nothing runs yet, else ask its run to stop. An ended job stays as it is."""

        def request_cancel(conn: sa.Connection) -> Job:
            job = repository.get(conn, job_id)
            if job.state.is_terminal:
                return job
            now = time.time()
            if job.claim == 0 and _cancel_waiting(conn, job, now, by):
                return repository.get(conn, job_id)
            if job.cancel_requested_at is None:
                repository.set_fields(conn, job_id, cancel_requested_at=now)
                events.append(
                    conn,
                    project_id=job.project_id,
                    job_id=job_id,
                    attempt=job.attempt,
                    type="cancel_requested",
                    message="Asked to stop.",
                    data=_who(by),
                )
            return repository.get(conn, job_id)

        job = self._database.write(request_cancel)
        self._wake()
        return job

    def retry(
        self, job_id: str, wanted: RetryJob, *, idempotency_key: str | None = None, by: str | None = None
    ) -> tuple[Job, bool]:
        """The same request again, as a new job with this one as its parent. Otherwise as `submit`."""
        with self._database.read() as conn:
            job = repository.get(conn, job_id)
        if not job.state.is_terminal:
            raise Conflict(f"{job_id} has not ended yet.", hint="Cancel it first, or wait.")
        if job.script is not None and job.code_hash is None:
            raise Conflict(
                f"{job_id} ran a script in a terminal, which only a terminal can do again.",
                hint="Run `trainyard train SCRIPT` again.",
            )
        execution = _tier_of(job, wanted.execution)
        words = f"Tries {job_id} again."
        if job.resume_from is not None:
            if not self._checkpoints.exists(job.resume_from):
                raise Conflict(
                    f"{job_id} began with {job.resume_from}, which is no longer in the store.",
                    hint="Resume it from a checkpoint of its own, or submit the training anew.",
                )
            words = f"Tries {job_id} again, from the same checkpoint: {job.resume_from}."
        if wanted.params:
            settings = ", ".join(f"{name}={str(value)[:60]}" for name, value in wanted.params.items())
            words = f"{words.removesuffix('.')}, with {settings}."[:500]
        if execution is not job.execution:
            words = f"{words.removesuffix('.')}, on {execution}."
        request = _request_of(job, execution).model_copy(update={"params": job.params | wanted.params})
        origin = Origin(job_id, job.resume_from, words)
        return self.submit(request, idempotency_key=idempotency_key, origin=origin, by=by)

    def resume(
        self, job_id: str, wanted: ResumeJob, *, idempotency_key: str | None = None, by: str | None = None
    ) -> tuple[Job, bool]:
        """Go on from one of its checkpoints, as a new job with this one as its parent. Otherwise as `submit`."""
        job = self.get(job_id)
        require_resumable(job)
        if "epochs" in wanted.params:
            raise InvalidInput("Epochs are not among the parameters here.", hint="--epochs N", field="params.epochs")
        checkpoint = self._checkpoints.find(job_id, wanted.checkpoint)
        planned = plan(job, checkpoint, wanted.epochs, wanted.params)
        request = _request_of(job, _tier_of(job, wanted.execution)).model_copy(
            update={
                "name": wanted.name or job.name,
                "params": job.params | wanted.params | {"epochs": planned.epochs},
            }
        )
        origin = Origin(job_id, checkpoint.key, planned.words)
        return self.submit(request, idempotency_key=idempotency_key, origin=origin, by=by)

    def change(self, job_id: str, change: ChangeJob, by: str | None = None) -> Job:
        """Name, tags, notes and priority; what is None stays."""
        values: dict[str, Any] = events.storable(change.model_dump(exclude_none=True))

        def store(conn: sa.Connection) -> Job:
            job = repository.get(conn, job_id)
            if values:
                repository.set_fields(conn, job_id, **values)
                events.append(conn, project_id=job.project_id, job_id=job_id, type="changed", data=values | _who(by))
            return repository.get(conn, job_id)

        job = self._database.write(store)
        self._wake()
        return job

    def get(self, job_id: str) -> Job:
        with self._database.read() as conn:
            return repository.get(conn, job_id)


def _who(by: str | None) -> dict[str, str]:
    return {} if by is None else {"by": by}


def _prefix(request: SubmitJob, origin: Origin | None) -> str:
    """What its id says of where it comes from: a terminal, a folder that its code was sent from, or neither."""
    if request.attached:
        return "local"
    sent = request.code is not None and (origin is None or origin.parent_id.startswith("dev-"))
    return "dev" if sent else "job"


def _values(request: SubmitJob, execution: Execution, shipment: Shipment) -> dict[str, Any]:
    """The row of a new job, but for what depends on its dataset."""
    return {
        "project_id": request.project_id,
        "request_hash": hashlib.sha256(request.model_dump_json().encode()).hexdigest(),
        "tags": request.tags,
        "notes": request.notes.replace("\0", ""),
        "execution": execution,
        "framework": request.framework,
        "priority": request.priority,
        "gpus": shipment.resources.gpus,
        "keep_epochs": request.keep_epochs,
        "attached": request.attached,
        "callbacks": not shipment.plain,
        "script": request.script,
        "code_hash": shipment.code_hash,
        "resources": shipment.resources.model_dump(mode="json", exclude_defaults=True),
        "image": shipment.image,
        "dataset_id": request.dataset_id,
        "state": State.PENDING,
        "attempt": 1,
        "evidence": {},
        "trace_id": new_trace_id(),
        "claim": 0,
        "seq": 0,
        "phase": "",
        "created_at": time.time(),
    }


def _from(origin: Origin, request_hash: str) -> dict[str, Any]:
    """What a job's row says of where it comes from; the same request from elsewhere is another one."""
    told = f"{request_hash} {origin.parent_id} {origin.resume_from}"
    return {
        "parent_id": origin.parent_id,
        "resume_from": origin.resume_from,
        "message": origin.words,
        "request_hash": hashlib.sha256(told.encode()).hexdigest(),
    }


def _fitted(conn: sa.Connection, request: SubmitJob, shipment: Shipment) -> dict[str, Any]:
    """Task, model, parameters and name: what depends on the dataset. Raises InvalidInput."""
    manifest, plain = shipment.manifest, shipment.plain
    tasks: list[str] | None = None
    if request.dataset_id is not None:
        tasks = _dataset_tasks(conn, request.dataset_id, request.project_id)
        if not plain:
            require_ready(conn, request.dataset_id)
    elif not plain:
        raise InvalidInput(
            "A training needs a dataset.", hint="`trainyard datasets list` shows them.", field="dataset_id"
        )
    task = requests.choose_task(request, manifest, None if plain else tasks)
    model = requests.choose_model(request, manifest.tasks[task], plain)
    params = requests.fill_params(request, manifest, task, plain)
    name = request.name.strip() or " · ".join(filter(None, (model, request.dataset_id)))
    return {"task": task, "model": model, "params": params, "epochs": params.get("epochs"), "name": name[:200]}


def _cancel_waiting(conn: sa.Connection, job: Job, now: float, by: str | None) -> bool:
    repository.set_fields(conn, job.id, cancel_requested_at=now)
    return move(
        conn,
        job_id=job.id,
        project_id=job.project_id,
        attempt=job.attempt,
        now=job.state,
        then=State.CANCELLED,
        reason=Reason.CANCELLED_BY_USER,
        message="Cancelled before it started.",
        evidence=_who(by),
        at=now,
    )


def _check_script(request: SubmitJob, execution: Execution) -> None:
    if request.script is not None and not request.attached and request.code is None:
        raise InvalidInput(
            "A script can be named only by `trainyard train`, which runs it in its terminal or sends its code.",
            field="script",
        )
    if request.attached and execution is not Execution.LOCAL:
        raise InvalidInput("A terminal can only run jobs on the local tier.", field="execution")


def _same_request(known: Job, request_hash: str) -> Job:
    if known.request_hash != request_hash:
        raise Conflict(
            "This Idempotency-Key was used for another request.", hint="Use a new key for a new job.", field=None
        )
    return known


def _require_project(conn: sa.Connection, project_id: str) -> None:
    if conn.execute(sa.select(projects.c.id).where(projects.c.id == project_id)).one_or_none() is None:
        raise InvalidInput(
            f"There is no project {project_id!r}.", hint="POST /v1/projects makes one.", field="project_id"
        )


def _dataset_tasks(conn: sa.Connection, dataset_id: str, project_id: str) -> list[str]:
    query = sa.select(datasets.c.tasks).where(datasets.c.id == dataset_id, datasets.c.project_id == project_id)
    row = conn.execute(query).one_or_none()
    if row is None:
        raise InvalidInput(
            f"There is no dataset {dataset_id!r} in project {project_id}.",
            hint="`trainyard datasets list` shows them; `trainyard datasets add` uploads one.",
            field="dataset_id",
        )
    return row.tasks


def _tier_of(job: Job, wanted: Execution | None) -> Execution:
    """Where another job of the same goes. Raises Conflict."""
    tier = wanted or job.execution
    if job.script is not None and job.code_hash is not None and tier is not Execution.K8S:
        raise Conflict(f"{job.id} ran a script that was sent with it, which only tier k8s can do again.")
    return tier


def _request_of(job: Job, execution: Execution) -> SubmitJob:
    """The same again, perhaps on another tier: code and wishes go along where they mean something."""
    code = job.code_hash if execution is Execution.K8S else None
    return SubmitJob(
        project_id=job.project_id,
        name=job.name,
        tags=job.tags,
        notes=job.notes,
        framework=job.framework,
        task=job.task,
        model=job.model,
        dataset_id=job.dataset_id,
        params=job.params,
        execution=execution,
        priority=job.priority,
        gpus=job.gpus,
        keep_epochs=job.keep_epochs,
        resources=Resources() if execution is Execution.LOCAL else job.resources,
        code=code,
        attached=False,
        script=job.script if code else None,
    )
