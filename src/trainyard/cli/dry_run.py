"""`--dry-run` on a cluster's tiers: what would travel and the exact manifests, without a cluster and a backend."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.markup import escape

from trainyard.cli.console import err, size
from trainyard.cli.request import Wanted
from trainyard.cli.samples import BUILT_IN
from trainyard.contract.environment import JobFacts, Platform, environment, script_extras
from trainyard.contract.keys import code_key, new_job_id, new_trace_id
from trainyard.contract.manifest import Manifest
from trainyard.contract.resources import is_pinned
from trainyard.contract.vocabulary import Execution
from trainyard.errors import InvalidInput
from trainyard.executors.base import RunId, RunSpec
from trainyard.executors.bundle import LeftOut
from trainyard.executors.kubernetes.addresses import out_of_reach, pod_addresses
from trainyard.executors.kubernetes.manifest import Manifests, build
from trainyard.executors.kubernetes.names import code_name
from trainyard.executors.kubernetes.program import Program, read_program, trainer_of
from trainyard.executors.kubernetes.resources import decide
from trainyard.executors.kubernetes.shown import as_yaml
from trainyard.jobs.requests import SubmitJob, choose_model, choose_task, fill_params, is_plain_script
from trainyard.settings import Settings

SHOWN = 3  # names of those left out for one reason


def dry_run(settings: Settings, wanted: Wanted, execution: Execution, prefix: str, script: Path | None) -> None:
    """What travels on stderr, the manifests as YAML on stdout. Reads the trainer's folder and nothing else."""
    if execution is Execution.LOCAL:
        raise InvalidInput(
            "--dry-run shows what would be sent to a cluster; a local training sends nothing.",
            hint="Add --on k8s or --on image.",
            field="--dry-run",
        )
    manifest = trainer_of(settings, wanted.framework)
    request = _request(wanted, script)
    spec = _spec(settings, manifest, wanted, request, prefix)
    needs = decide(settings, wanted.framework, manifest.resources, spec.resources)
    program = read_program(settings, spec) if execution is Execution.K8S else None
    _tell(program, spec)
    for problem in out_of_reach(pod_addresses(settings)):
        _warn(problem)
    if program is None and not is_pinned(needs.image):
        _warn(f"{needs.image} is not pinned by a digest: what is behind its tag may change.")
    _print(build(settings, spec, needs, program).without_secrets())


def _spec(settings: Settings, manifest: Manifest, wanted: Wanted, request: SubmitJob, prefix: str) -> RunSpec:
    """The run as the backend would make it, with words in place of secrets: none is read, none is made."""
    plain = is_plain_script(request, manifest, (settings.trainers_dir / f"trainer-{wanted.framework}").resolve())
    task = choose_task(request, manifest, None)
    facts = JobFacts(
        job_id=new_job_id(prefix),
        trace_id=new_trace_id(),
        attempt=1,
        project_id=request.project_id,
        task=task,
        framework=wanted.framework,
        model=choose_model(request, manifest.tasks[task], plain),
        dataset_id=wanted.dataset or next(iter(manifest.samples), BUILT_IN[task]),
        params=fill_params(request, manifest, task, plain),
        keep_epochs=wanted.keep_epochs,
    )
    addresses = pod_addresses(settings)
    platform = Platform(
        backend_url=addresses.backend,
        mlflow_url=addresses.mlflow,
        storage_type=settings.storage_type,
        s3_url=addresses.s3,
        s3_bucket=settings.s3_bucket,
        heartbeat_seconds=settings.heartbeat_seconds,
        sample_count=settings.sample_count,
        s3_access_key="",
        s3_secret_key="",
        callback_token="",
    )
    variables = environment(facts, platform) | (script_extras(facts, platform) if plain else {})
    return RunSpec(
        run=RunId(facts.job_id, 1, facts.trace_id),
        framework=wanted.framework,
        env=variables,
        script=Path(request.script) if request.script else None,
        resources=request.wishes,
    )


def _request(wanted: Wanted, script: Path | None) -> SubmitJob:
    body: dict[str, Any] = wanted.body() | {"script": str(script.resolve()) if script else None}
    try:
        return SubmitJob.model_validate(body)
    except ValidationError as error:
        raise _refused(error) from None


def _refused(error: ValidationError) -> InvalidInput:
    first = error.errors()[0]
    return InvalidInput(f"{first['msg'].removeprefix('Value error, ')}.", field=".".join(map(str, first["loc"])))


# -- showing it -------------------------------------------------------------------------------------------------------


def _tell(program: Program | None, spec: RunSpec) -> None:
    if program is None:
        err().print("The image brings its own code: nothing of the trainer's folder travels.")
        return
    bundle = program.bundle
    by = f"in ConfigMap {code_name(spec.run)}"
    if program.archive is not None:
        by = f"through S3 as {code_key(bundle.hash)}: it is more than a ConfigMap holds (1 MiB)"
    err().print(f"What travels, {by}:")
    for file in bundle.files:
        err().print(escape(f"  {size(len(file.data)):>7}  {file.path}{'*' if file.executable else ''}"))
    err().print(f"  {size(bundle.size):>7}  in {len(bundle.files)} files, sha256 {bundle.hash}")
    for why, paths in _by_reason(bundle.left_out).items():
        more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
        err().print(escape(f"  stays here, {why}: {', '.join(paths[:SHOWN])}{more}"))


def _by_reason(left_out: tuple[LeftOut, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for left in left_out:
        found.setdefault(left.why, []).append(left.path if left.path.isprintable() else ascii(left.path))
    return found


def _warn(text: str) -> None:
    err().print(f"[yellow]{escape(text)}[/]")


def _print(manifests: Manifests) -> None:
    then = "Kueue resumes it." if manifests.waits_for_queue else "Then it is resumed."
    print(f"# Created in this order: a suspended Job, and what it owns (by ownerReferences). {then}")
    print(as_yaml([manifests.job, *manifests.owned]), end="")
