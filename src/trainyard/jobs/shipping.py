"""What a job runs and in which image, settled before it is stored: its own folder, a bundle that travels, or an image.

A job on tier k8s keeps the hash of its bundle: another attempt, a retry and a continuation run the very same code.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from trainyard.contract.manifest import Manifest
from trainyard.contract.resources import Resources
from trainyard.contract.vocabulary import Execution
from trainyard.errors import InvalidInput, NotFound
from trainyard.executors.bundle import Bundle
from trainyard.executors.codestore import CodeStore
from trainyard.executors.kubernetes.program import collect, program_of, trainer_in
from trainyard.executors.kubernetes.resources import decide
from trainyard.images.record import pinned_image
from trainyard.jobs.requests import SubmitJob, is_plain_script
from trainyard.settings import Settings


@dataclass(frozen=True, slots=True)
class Shipment:
    """The trainer's declaration that counts, whether callbacks are owed, and what is kept with the job."""

    manifest: Manifest
    plain: bool
    resources: Resources
    code_hash: str | None = None
    image: str | None = None


def stays_here(request: SubmitJob, manifest: Manifest, folder: Path) -> Shipment:
    """A local training: the trainer's folder as it is when it starts. Raises InvalidInput."""
    if request.code is not None:
        raise InvalidInput(
            "Code travels to tier k8s only: a local training runs the trainer's folder as it is.", field="code"
        )
    for name in sorted(request.resources.model_dump(exclude_defaults=True).keys() - {"gpus"}):
        raise InvalidInput(
            f"A local training has all of its machine: {name} is a wish for a cluster.",
            hint="Leave it out, or choose execution k8s or image.",
            field=f"resources.{name}",
        )
    return Shipment(manifest, is_plain_script(request, manifest, folder), request.wishes)


class Shipping:
    """For jobs on a cluster. May ask the store, and blocks: never call it inside a transaction."""

    def __init__(self, settings: Settings, codes: CodeStore) -> None:
        self._settings = settings
        self._codes = codes

    def prepare(self, request: SubmitJob, execution: Execution, manifest: Manifest, folder: Path) -> Shipment:
        """Finds the code that was named, or keeps the folder's as it is now. Raises InvalidInput or TooLarge."""
        if execution is Execution.IMAGE:
            return self._by_image(request, manifest)
        bundle = self._named(request.code) if request.code is not None else collect(folder, None)[0]
        declared = trainer_in(bundle)
        manifest = declared or manifest
        if manifest.framework != request.framework:
            raise InvalidInput(
                f"The code is the trainer {manifest.framework}, not {request.framework}.", field="framework"
            )
        program_of(bundle, manifest, request.script)  # refuses what could not be started
        script = None if request.script is None else PurePosixPath(request.script)
        stranger = declared is None or (script is not None and script != PurePosixPath(manifest.entrypoint))
        image = self._image_of(request, manifest)
        code = request.code or self._codes.put(bundle)
        return Shipment(manifest, stranger or not manifest.callbacks, request.wishes, code, image)

    def _by_image(self, request: SubmitJob, manifest: Manifest) -> Shipment:
        if request.code is not None:
            raise InvalidInput("An image brings its own code.", hint="Choose execution k8s for this one.", field="code")
        image = pinned_image(self._settings, request.framework, self._image_of(request, manifest))
        if manifest.distributed and (request.wishes.gpus or 0) > 1:
            raise InvalidInput(
                "An image starts one process, which takes one GPU.",
                hint="Ask for as many replicas with one GPU each, or choose execution k8s.",
                field="resources.gpus",
            )
        return Shipment(manifest, not manifest.callbacks, request.wishes, None, image)

    def _image_of(self, request: SubmitJob, manifest: Manifest) -> str:
        """Raises InvalidInput where its wishes exclude each other."""
        needs = decide(self._settings, request.framework, manifest.resources, request.wishes)
        if needs.replicas > 1 and not manifest.distributed:
            raise InvalidInput(
                f"{manifest.framework} does not train as several processes: {needs.replicas} replicas would each train "
                "alone.",
                hint="Ask for one; a trainer that can says `distributed = true` in its trainer.toml.",
                field="resources.replicas",
            )
        return needs.image

    def _named(self, code: str) -> Bundle:
        try:
            return self._codes.get(code)
        except NotFound as error:
            raise InvalidInput(error.message, hint=error.hint, field="code") from None
