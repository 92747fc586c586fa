"""Datasets that need no upload: drawn by us, or made by a trainer's own script in that trainer's environment."""

import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainyard.contract.manifest import Sample
from trainyard.contract.vocabulary import Task
from trainyard.datasets.model import Dataset
from trainyard.datasets.sample.write import NAMES, SAMPLES, write_sample
from trainyard.datasets.service import DatasetService
from trainyard.db.engine import Database
from trainyard.errors import NotFound, TrainyardError
from trainyard.events import log as events
from trainyard.executors.local.envs import make_environment
from trainyard.executors.local.variables import base_environment
from trainyard.jobs.trainers import Catalog, Trainer
from trainyard.settings import Settings

SCRIPT_SECONDS = 300
SAY_SECONDS = 1.0


class SampleFailed(TrainyardError):
    code = "sample_failed"
    status = 503


@dataclass(frozen=True, slots=True)
class KnownSample:
    id: str
    title: str
    trainer: str | None  # whose script makes it; None: drawn by us


class Samples:
    def __init__(self, settings: Settings, database: Database, catalog: Catalog, datasets: DatasetService) -> None:
        self._settings = settings
        self._database = database
        self._catalog = catalog
        self._datasets = datasets

    def all(self) -> list[KnownSample]:
        drawn = [KnownSample(sample, NAMES[sample], None) for sample in SAMPLES]
        made = [KnownSample(name, sample.title, trainer.framework) for name, (trainer, sample) in self._made().items()]
        return drawn + made

    def _made(self) -> dict[str, tuple[Trainer, Sample]]:
        return {
            name: (trainer, sample)
            for trainer in self._catalog.all()
            if trainer.manifest is not None
            for name, sample in trainer.manifest.samples.items()
        }

    def load(self, sample_id: str, project_id: str) -> Dataset:
        """Make a sample and keep it as a dataset; one that is there already is returned as it is.

        Blocks: about a second for a drawn one, minutes where a trainer's environment has to be made first.
        """
        dataset_id = sample_id
        try:
            known = self._datasets.show(sample_id)
            if known.project_id == project_id:
                return known
            dataset_id = f"{sample_id[:30]}-{project_id[:30]}"  # an id is one project's
            return self._datasets.show(dataset_id)
        except NotFound:
            pass
        self._settings.spool_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._settings.spool_dir, prefix="sample-") as folder:
            path = Path(folder) / f"{sample_id[:64]}.zip"
            if sample_id in SAMPLES:
                title = NAMES[sample_id]
                write_sample(path, Task(SAMPLES[sample_id]))
            else:
                title = self._make(sample_id, path, project_id)
            return self._datasets.add(project_id, title, path, dataset_id)[0]

    def _make(self, sample_id: str, path: Path, project_id: str) -> str:
        found = self._made().get(sample_id)
        if found is None:
            known = ", ".join(sample.id for sample in self.all())
            raise NotFound(f"There is no sample {sample_id[:64]!r}.", hint=f"There are: {known}.")
        trainer, sample = found
        env = make_environment(self._settings, trainer.framework, self._teller(sample_id, project_id))
        command = [str(env.python), str(trainer.folder / sample.script), str(path)]
        try:
            done = subprocess.run(
                command, env=base_environment(), cwd=path.parent, capture_output=True, text=True, timeout=SCRIPT_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise SampleFailed(f"{sample.script} took longer than {SCRIPT_SECONDS} s to make {sample_id}.") from None
        if done.returncode != 0 or not path.exists():
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise SampleFailed(
                f"{trainer.folder.name}/{sample.script} could not make the sample {sample_id}: {last[:300]}",
                hint="Run it by hand to see all it says.",
            )
        return sample.title

    def _teller(self, sample_id: str, project_id: str) -> Callable[[str], None]:
        told = 0.0

        def say(message: str) -> None:
            nonlocal told
            if time.monotonic() - told < SAY_SECONDS:
                return
            told = time.monotonic()
            data = {"dataset_id": sample_id}
            self._database.write(
                lambda conn: events.append(
                    conn, project_id=project_id, type="preparing", message=message[:500], data=data
                )
            )

        return say
