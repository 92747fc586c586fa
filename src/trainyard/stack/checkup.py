"""What `doctor` looks at: one function a question, each answering with a Finding."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum

import httpx2

from trainyard.contract.vocabulary import Execution
from trainyard.errors import ServiceFailed, TrainyardError
from trainyard.executors.kubernetes.addresses import out_of_reach, pod_addresses
from trainyard.executors.kubernetes.api import Api
from trainyard.executors.kubernetes.rights import missing_rights
from trainyard.executors.local.envs import find_environment
from trainyard.settings import Settings
from trainyard.stack.service import Service
from trainyard.stack.state import Phase, Stack, read_stack
from trainyard.stack.supervisor import steps
from trainyard.storage.client import Address
from trainyard.storage.store import Store
from trainyard.uv import find_uv

LOW_DISK, LEAST_DISK = 20e9, 2e9


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(slots=True, frozen=True)
class Finding:
    what: str
    verdict: Verdict
    text: str
    do: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Each finding as soon as it is there."""
    stack = read_stack(settings.data_dir)
    services = steps(settings)
    yield _python()
    yield _uv(settings)
    yield _data_folder(settings)
    yield _disk(settings)
    for service in services:
        yield _service(service, stack)
    yield _keys(settings, services[0])
    yield _clock(settings)
    yield _gpus()
    yield from _trainers(settings)
    if settings.kubeconfig is not None or settings.execution_mode is not Execution.LOCAL:
        yield _cluster(settings)


def _python() -> Finding:
    return Finding("Python", Verdict.OK, f"{platform.python_version()} at {sys.executable}")


def _uv(settings: Settings) -> Finding:
    uv = find_uv(settings.data_dir)
    if uv is None:
        return Finding("uv", Verdict.FAIL, "not found", "Start with ./trainyard, which installs it.")
    return Finding("uv", Verdict.OK, uv)


def _data_folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x" * 4096)
            file.flush()
    except OSError as error:
        advice = "Make it writable, or set TRAINYARD_DATA_DIR to a folder that is."
        return Finding("data folder", Verdict.FAIL, f"{folder} cannot be written ({error.strerror})", advice)
    secrets = folder / "secrets"
    if os.name == "posix" and secrets.exists() and secrets.stat().st_mode & 0o077:
        return Finding("data folder", Verdict.WARN, f"others may read {secrets}", f"chmod 700 {secrets}")
    return Finding("data folder", Verdict.OK, str(folder))


def _disk(settings: Settings) -> Finding:
    folder = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free"
    if free < LEAST_DISK:
        return Finding("disk", Verdict.FAIL, text, "Free some space: a trainer's environment alone takes up to 6 GB.")
    if free < LOW_DISK:
        return Finding("disk", Verdict.WARN, text, "A torch environment takes up to 6 GB, checkpoints come on top.")
    return Finding("disk", Verdict.OK, text)


def _cluster(settings: Settings) -> Finding:
    """Asks the cluster; seconds where it doesn't answer."""
    try:
        api = Api.connect(settings)
        try:
            missing = missing_rights(api)
        finally:
            api.close()
    except TrainyardError as error:
        return Finding("cluster", Verdict.FAIL, str(error), error.hint)
    where = f"{api.server}, namespace {api.namespace}"
    if missing:
        advice = "Give our account a Role with these rights; deploy/helm has one."
        return Finding("cluster", Verdict.FAIL, f"{where}: we may not {', '.join(missing)}", advice)
    unreachable = out_of_reach(pod_addresses(settings))
    if unreachable:
        return Finding("cluster", Verdict.FAIL, unreachable[0], "docs/settings.md lists these settings.")
    return Finding("cluster", Verdict.OK, where)


def _service(service: Service, stack: Stack) -> Finding:
    """A running service must answer; one that doesn't run must be able to start."""
    if service.answers():
        return Finding(service.name, Verdict.OK, f"answers at {service.url}")
    if service.external:
        advice = "Check that it runs and that its address is right."
        return Finding(service.name, Verdict.FAIL, f"does not answer at {service.url}", advice)
    record = stack.services.get(service.name)
    if stack.supervised and record is not None:
        verdict = Verdict.FAIL if record.phase in (Phase.READY, Phase.RESTARTING) else Verdict.WARN
        return Finding(service.name, verdict, f"{record.phase}. {record.detail}".strip(), f"Its log: {record.log}")
    try:
        service.check()
    except ServiceFailed as error:
        return Finding(service.name, Verdict.FAIL, error.message, error.hint)
    return Finding(service.name, Verdict.WARN, f"not running; port {service.ports()[0].number} is free", "trainyard up")


def _keys(settings: Settings, storage: Service) -> Finding:
    if not storage.answers():
        return Finding("S3 keys", Verdict.WARN, "not tried: the store does not answer", "trainyard up")
    try:
        Store(Address.from_settings(settings)).head("doctor")
        storage.confirm()
    except TrainyardError as error:
        return Finding("S3 keys", Verdict.FAIL, error.message, error.hint)
    return Finding("S3 keys", Verdict.OK, f"open the bucket {settings.s3_bucket}; wrong ones open nothing")


def _clock(settings: Settings) -> Finding:
    """Against the store's clock: signatures and tokens stop working when the two disagree."""
    try:
        with httpx2.Client(trust_env=False, timeout=3) as client:
            said = client.get(settings.s3_url).headers.get("date")
    except httpx2.HTTPError:
        said = None
    if said is None:
        return Finding("clock", Verdict.OK, time.strftime("%Y-%m-%d %H:%M:%S %Z"))
    off = abs(time.time() - parsedate_to_datetime(said).timestamp())
    if off > 60:
        advice = "Set this machine's clock: signed requests are refused when it is off."
        return Finding("clock", Verdict.FAIL, f"{off:.0f} s away from the store's", advice)
    return Finding("clock", Verdict.OK, "agrees with the store's")


def _gpus() -> Finding:
    program = shutil.which("nvidia-smi")
    if program is None:
        return Finding("GPUs", Verdict.OK, "none (no nvidia-smi): trainers use the CPU")
    try:
        asked = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("GPUs", Verdict.WARN, f"nvidia-smi did not answer ({error})", "Check the driver.")
    if asked.returncode != 0:
        said = (asked.stderr or asked.stdout).strip()[:200]
        return Finding("GPUs", Verdict.WARN, f"nvidia-smi failed: {said}", "Check the driver.")
    return Finding("GPUs", Verdict.OK, "; ".join(asked.stdout.split("\n")[:8]).strip("; ") or "none")


def _trainers(settings: Settings) -> Iterator[Finding]:
    folders = sorted(path.parent for path in settings.trainers_dir.glob("trainer-*/trainer.toml"))
    folders = [folder for folder in folders if folder.name != "trainer-template"]
    if not folders:
        advice = "Set TRAINYARD_TRAINERS_DIR to the folder that holds them."
        yield Finding("trainers", Verdict.WARN, f"no trainer-* folder in {settings.trainers_dir}", advice)
    for folder in folders:
        yield _trainer(settings, folder.name)


def _trainer(settings: Settings, name: str) -> Finding:
    found = find_environment(settings, name.removeprefix("trainer-"))
    if found.folder is None:
        return Finding(name, Verdict.WARN, f"has no requirements.txt: it runs with {found.python}", "Add one.")
    if found.is_ready:
        return Finding(name, Verdict.OK, f"environment is ready: {found.folder}")
    if found.recipe is not None and found.recipe.link.exists():
        return Finding(name, Verdict.OK, "environment is out of date; the next job brings it up to date")
    return Finding(name, Verdict.OK, "environment is made at the first job")
