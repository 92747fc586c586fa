"""A training in a cluster, started from the folder it is written in: what travels is sent, then the job submitted."""

from pathlib import Path
from typing import Any

from trainyard.cli.client import Client, Refused
from trainyard.cli.console import err, size
from trainyard.cli.logs import print_as_it_comes
from trainyard.cli.request import Wanted
from trainyard.cli.stages import under_way
from trainyard.cli.submit import send, tell, watch_to_the_end
from trainyard.contract.vocabulary import Execution
from trainyard.errors import InvalidInput
from trainyard.executors.bundle import Bundle
from trainyard.executors.kubernetes.code import fits_config_map
from trainyard.executors.kubernetes.program import collect, trainer_of
from trainyard.settings import Settings

SEND_SECONDS = 600.0


def train_away(
    settings: Settings, client: Client, wanted: Wanted, tier: Execution, script: Path | None, *, follow: bool
) -> int:
    """Returns once the job is stored; with `follow` once it has ended. The exit code to end with."""
    body: dict[str, Any] = wanted.body() | {"execution": tier}
    if tier is Execution.K8S:
        body |= _ship(settings, client, wanted.framework, script)
    elif script is not None:
        raise InvalidInput("An image brings its own code.", hint="--on k8s runs your script.", field="SCRIPT")
    job = send(client, body)
    tell(job)
    return watch_to_the_end(client, settings, job, print_as_it_comes, err()) if follow else 0


def _ship(settings: Settings, client: Client, framework: str, script: Path | None) -> dict[str, Any]:
    """What the job says of its code, once the backend has it."""
    if script is None:
        trainer_of(settings, framework)  # raises where there is none here
    bundle, inside = collect(settings.trainers_dir / f"trainer-{framework}", script)
    if inside is not None:
        bundle.require(inside)
    by = "in a ConfigMap" if fits_config_map(bundle) else "through S3: it is more than a ConfigMap holds"
    count = "1 file" if len(bundle.files) == 1 else f"{len(bundle.files)} files"
    err().print(f"Code {bundle.hash[:12]}: {count}, {size(bundle.size)}, travels {by}.")
    _upload(client, bundle)
    return {"code": bundle.hash, "script": inside}


def _upload(client: Client, bundle: Bundle) -> None:
    """Nothing is sent that is there already."""
    try:
        client.get(f"/v1/code/{bundle.hash}")
        return
    except Refused as refusal:
        if refusal.status != 404:
            raise
    with under_way(f"sending {size(bundle.size)}", err()):
        client.put(f"/v1/code/{bundle.hash}", bundle.archive(), "application/zip", timeout=SEND_SECONDS)
