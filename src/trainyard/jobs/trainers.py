"""Which trainers there are: a folder `trainer-*` with a trainer.toml is one, without any registration."""

from dataclasses import dataclass
from pathlib import Path

from trainyard.contract.manifest import Manifest, read_manifest
from trainyard.errors import InvalidInput, NotFound


@dataclass(frozen=True, slots=True)
class Trainer:
    """A trainer's folder and what it declares, or why that can't be read."""

    framework: str
    folder: Path
    manifest: Manifest | None
    problem: str = ""


class Catalog:
    """Reads trainer.toml files anew when they change, so a dropped-in folder is there at the next look."""

    def __init__(self, trainers_dir: Path) -> None:
        self._dir = trainers_dir
        self._read: dict[Path, tuple[int, Trainer]] = {}

    def all(self) -> list[Trainer]:
        return [self._trainer(path) for path in sorted(self._dir.glob("trainer-*/trainer.toml"))]

    def _trainer(self, path: Path) -> Trainer:
        stamp = path.stat().st_mtime_ns
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            known = (stamp, _load(path))
            self._read[path] = known
        return known[1]

    def manifest(self, framework: str) -> Manifest:
        """Raises InvalidInput naming what there is."""
        trainers = {trainer.framework: trainer for trainer in self.all()}
        trainer = trainers.get(framework)
        if trainer is None:
            usable = ", ".join(sorted(trainers)) or "none"
            raise InvalidInput(
                f"There is no trainer {framework[:60]!r}.", hint=f"There are: {usable}.", field="framework"
            )
        if trainer.manifest is None:
            raise InvalidInput(f"Trainer {framework} can't be used: {trainer.problem}", field="framework")
        return trainer.manifest

    def find(self, framework: str) -> Trainer:
        for trainer in self.all():
            if trainer.framework == framework:
                return trainer
        raise NotFound(f"There is no trainer {framework[:60]!r}.", hint="GET /v1/trainers lists them.")


def _load(path: Path) -> Trainer:
    name = path.parent.name.removeprefix("trainer-")
    try:
        manifest = read_manifest(path)
    except (ValueError, OSError) as error:
        return Trainer(name, path.parent, None, str(error))
    if manifest.framework != name:
        return Trainer(name, path.parent, None, f"its trainer.toml says framework = {manifest.framework!r}")
    return Trainer(name, path.parent, manifest)
