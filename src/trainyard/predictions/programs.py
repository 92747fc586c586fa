"""What has to run for a job's checkpoint: which of its files, with which program, in whose environment."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from trainyard.contract.environment import storage_variables
from trainyard.contract.keys import checkpoint_key
from trainyard.errors import Conflict, NotFound
from trainyard.executors.local.launch_plan import argv_of
from trainyard.jobs.model import Job
from trainyard.jobs.trainers import Catalog, Trainer
from trainyard.predictions.environments import Environments
from trainyard.predictions.process import Program
from trainyard.settings import Settings
from trainyard.storage.store import Store, StoredObject

NOT_ITS_CODE = {"__pycache__", "node_modules"}


class Programs:
    def __init__(self, settings: Settings, catalog: Catalog, store: Store, environments: Environments) -> None:
        self._settings = settings
        self._catalog = catalog
        self._store = store
        self._environments = environments

    def program(self, job: Job, kind: str | None) -> tuple[Program, str]:
        """What answers for this checkpoint of the job, and a note where it is not the one that was meant.

        `kind` None: best, else last. Raises Conflict and NotFound with what to do, Preparing, StorageUnavailable.
        """
        trainer = self._trainer(job)
        checkpoint, note = self._checkpoint(job, kind)
        manifest = trainer.manifest
        assert manifest is not None
        if not manifest.predict.command and not (trainer.folder / manifest.predict.entrypoint).is_file():
            raise NotFound(
                f"{trainer.folder.name} has no {manifest.predict.entrypoint}: nothing shows pictures to checkpoints.",
                hint="trainer-template/predict.py is one to start from.",
            )
        python = self._environments.python(trainer.framework)
        secret_key = self._settings.s3_keys[1]
        program = Program(
            who=f"{manifest.predict.entrypoint} of {trainer.folder.name}",
            argv=tuple(argv_of(trainer.folder, manifest.predict.command, python, manifest.predict.entrypoint)),
            cwd=trainer.folder,
            edited=_digest(trainer.folder),
            checkpoint=checkpoint.key,
            etag=checkpoint.etag,
            warm=manifest.predict.warm,
            storage=self._storage(),
            secrets=(secret_key,),
        )
        return program, note

    def _trainer(self, job: Job) -> Trainer:
        trainer = next((one for one in self._catalog.all() if one.framework == job.framework), None)
        if job.script is not None and not _is_own(job.script, trainer):
            raise Conflict(
                f"{job.id} ran a script of its own, and only a trainer's predict.py knows what its checkpoints are.",
                hint="Make it a trainer with a predict.py: a copy of trainer-template is one.",
            )
        if trainer is None:
            raise Conflict(
                f"trainer-{job.framework}, which trained {job.id}, is not here any more.",
                hint="Put its folder back; TRAINYARD_TRAINERS_DIR says where trainers are looked for.",
            )
        if trainer.manifest is None:
            raise Conflict(f"trainer-{job.framework} can't be used: {trainer.problem}")
        return trainer

    def _checkpoint(self, job: Job, kind: str | None) -> tuple[StoredObject, str]:
        for wanted in [kind] if kind else ["best", "last"]:
            found = self._store.head(checkpoint_key(job.id, wanted))
            if found is not None:
                return found, "" if wanted == (kind or "best") else "There is no best checkpoint; this is the last one."
        if kind and any(self._store.head(checkpoint_key(job.id, other)) for other in ("best", "last")):
            raise NotFound(f"{job.id} has no checkpoint {kind}.", hint="Leave it out for the best one.")
        if job.state.is_terminal:
            raise NotFound(
                f"{job.id} has no checkpoint: it ended as {job.state}.", hint="Choose a job that has finished an epoch."
            )
        raise Conflict(f"{job.id} has no checkpoint yet.", hint="The first comes after an epoch: try again then.")

    def _storage(self) -> dict[str, str]:
        settings = self._settings
        access_key, secret_key = settings.s3_keys
        return storage_variables(settings.storage_type, settings.s3_url, access_key, secret_key, settings.s3_bucket)


def _is_own(script: str, trainer: Trainer | None) -> bool:
    return bool(trainer and trainer.manifest and Path(script) == trainer.folder / trainer.manifest.entrypoint)


def _digest(folder: Path) -> str:
    """Changes with each file of a trainer that is edited, added or removed. Milliseconds."""
    told = sorted(_stamps(folder))
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _stamps(folder: Path) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in NOT_ITS_CODE]
        for name in files:
            path = Path(place, name)
            try:
                stat = path.stat()
            except OSError:  # a link to nowhere, or an editor's file that is gone again
                continue
            yield f"{path}\0{stat.st_mtime_ns}\0{stat.st_size}"
