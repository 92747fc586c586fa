"""Doing what was planned: build, deliver, and write down what a cluster will find under which name."""

import re
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from trainyard.errors import InvalidInput, NotAvailable
from trainyard.images.archive import add_names
from trainyard.images.context import written
from trainyard.images.names import registry, repository
from trainyard.images.plan import Goal, Plan
from trainyard.images.record import Built, keep_built
from trainyard.images.running import BuildFailed, Say, run
from trainyard.settings import Settings

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def build(plan: Plan, say: Say) -> None:
    """Blocks for as long as the builder takes. Repeating it is quick. Raises BuildFailed."""
    with written(plan.context) as folder:
        run(plan.build(folder), f"Building {plan.image}", say)


def deliver(settings: Settings, plan: Plan, say: Say) -> Built | None:
    """Blocks. Records what was delivered and returns it; None where it stays in the builder's own store.

    Raises BuildFailed, NotAvailable, InvalidInput; then the record is as it was."""
    match plan.goal:
        case Goal.KEEP:
            return None
        case Goal.PUSH:
            pinned = f"{repository(plan.image)}@{_push(plan, say)}"
        case Goal.ARCHIVE:
            assert plan.archive is not None
            with _archived(plan, plan.archive.absolute().parent, say) as draft:
                draft.replace(plan.archive)
            pinned = plan.code_image
        case Goal.LOAD:
            _load(plan, say)
            pinned = plan.code_image
    now = datetime.now(UTC).isoformat(timespec="seconds")
    built = Built(pinned, plan.image, plan.context.bundle.hash, plan.revision, now)
    keep_built(settings, plan.framework, built)
    return built


def _push(plan: Plan, say: Say) -> str:
    """The digest that the registry has it under."""
    hint = f"Its own login is used: `{plan.builder.name} login {registry(plan.image)}` makes one."
    with tempfile.TemporaryDirectory(prefix="trainyard-push-") as folder:
        file = Path(folder) / "digest"
        said = run(plan.push(file), f"Pushing {plan.image}", say, hint)
        found = _DIGEST.search(file.read_text()) if file.exists() else _last(_DIGEST, said)
    if found is None:
        raise BuildFailed(
            f"{plan.image} was pushed, but {plan.builder.name} did not say its digest.", hint="Try again."
        )
    return found.group()


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """docker says the digest in its last line, after those of the layers."""
    return next(reversed(list(pattern.finditer(text))), None)


def _load(plan: Plan, say: Say) -> None:
    if shutil.which("kind") is None:
        raise NotAvailable(
            "--load needs kind, and it is not installed.", hint="Install kind, or take --archive FILE or --push."
        )
    with _archived(plan, None, say) as archive:
        run(plan.load(archive), f"Loading {plan.image} into the kind cluster {plan.kind}", say)


@contextmanager
def _archived(plan: Plan, beside: Path | None, say: Say) -> Generator[Path]:
    """An archive under both names, in a folder that is gone afterwards; moved out of it, it stays."""
    try:
        temporary = tempfile.TemporaryDirectory(prefix=".trainyard-image-", dir=beside)
    except OSError as error:
        raise InvalidInput(f"{beside} can't be written to: {error.strerror}.", field="--archive") from None
    with temporary as folder:
        archive = Path(folder) / "image.tar"
        run(plan.save(archive), f"Writing {plan.image} to a file", say)
        if plan.builder.saves_one_name:
            add_names(archive, [plan.code_image, plan.image])
        yield archive
