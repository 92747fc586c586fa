"""docker, podman and buildah: which of them works here, and what each is told. Nothing is built in this file."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainyard.errors import InvalidInput, NotAvailable

# in the order of preference, each with the question that only a working one answers
_PROBES: dict[str, list[str]] = {
    "docker": ["version", "--format", "{{.Server.Version}}"],  # the client alone builds nothing
    "podman": ["info", "--format", "{{.Version.Version}}"],
    "buildah": ["info"],
}
# buildah's own isolation wants privileges that containers seldom have; this one works with and without them
_CHROOT = ["--isolation", "chroot", "--network", "host"]
_PROBE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Builder:
    """One that works, and its argv for each purpose."""

    name: str
    program: str

    def build(
        self,
        context: Path,
        tags: Sequence[str],
        labels: Mapping[str, str],
        arguments: Mapping[str, str],
        options: Sequence[str] = (),
    ) -> list[str]:
        """`options` come last: of two that contradict each other, the last one counts."""
        argv = [self.program, "build"]
        if self.name == "buildah":
            argv += ["--layers", "--force-rm", *([] if os.environ.get("BUILDAH_ISOLATION") else _CHROOT)]
        for tag in tags:
            argv += ["--tag", tag]
        for name, value in labels.items():
            argv += ["--label", f"{name}={value}"]
        for name, value in arguments.items():
            argv += ["--build-arg", f"{name}={value}"]
        return [*argv, *options, str(context)]

    @property
    def saves_one_name(self) -> bool:
        return self.name == "buildah"

    def save(self, tags: Sequence[str], archive: Path) -> list[str]:
        """A docker-archive of the image under its names, or only the first where it `saves_one_name`."""
        if self.name == "docker":
            return [self.program, "save", "--output", str(archive), *tags]
        if self.name == "podman":
            many = ["--format", "docker-archive", "--multi-image-archive"]
            return [self.program, "save", *many, "--output", str(archive), *tags]
        assert self.saves_one_name
        return [self.program, "push", tags[0], f"docker-archive:{archive}:{tags[0]}"]

    def push(self, tag: str, digest: Path) -> list[str]:
        """To the registry that its name begins with. All but docker write the digest into a file; docker prints it."""
        return [self.program, "push", *([] if self.name == "docker" else ["--digestfile", str(digest)]), tag]


def find_builder(wanted: str = "") -> Builder:
    """The one that is wanted (a name or a path), else the first that works. Raises InvalidInput, NotAvailable."""
    if wanted and Path(wanted).stem not in _PROBES:
        raise InvalidInput(
            f"{wanted} is no builder that is known here.",
            hint=f"There are: {', '.join(_PROBES)}; or a path to one of them.",
            field="TRAINYARD_BUILDER",
        )
    troubles: list[str] = []
    for candidate in [wanted] if wanted else list(_PROBES):
        name, program = Path(candidate).stem, shutil.which(candidate)
        trouble = _trouble(name, program)
        if program and not trouble:
            return Builder(name, program)
        troubles.append(f"{name} {trouble}")
    raise NotAvailable(
        f"Nothing here can build an image: {'; '.join(troubles)}.",
        hint="Start Docker, or install podman or buildah. Local training and `--on k8s` need no image built.",
    )


def _trouble(name: str, program: str | None) -> str:
    """Why it can't build; empty where it can. Being on the PATH proves nothing: docker's daemon may be off."""
    if program is None:
        return "is not installed"
    try:
        asked = subprocess.run([program, *_PROBES[name]], capture_output=True, text=True, timeout=_PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not answer ({type(error).__name__})"
    said = (asked.stderr or asked.stdout).strip().splitlines() or [f"exit code {asked.returncode}"]
    return f"is there but does not work ({said[-1][:200].rstrip('.')})" if asked.returncode else ""
