"""What differs between runs of one job: a pure function over what the backend knows of each."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, cast

NOT_THERE = "—"
# variables that are bound to differ, and why: (pattern, reason); the values of all others are compared
LEFT_OUT_VARIABLES = (
    (r"JOB_ID|TRACE_ID|ATTEMPT|MLFLOW_RUN_CONTEXT", "they name the run"),
    (
        r"BACKEND_BASE_URL|MINIO_ENDPOINT|R2_ENDPOINT|MLFLOW_TRACKING_URI|MLFLOW_S3_ENDPOINT_URL|MASTER_ADDR|MASTER_PORT",
        "addresses, as each tier sees them",
    ),
    (r"DATASET_CACHE_DIR", "a folder of the machine"),
    (r"CUDA_VISIBLE_DEVICES|CUDA_DEVICE_ORDER|NVIDIA_.*", "which devices a run was given; what they are is compared"),
)
# others, of which a trainer tells only that they are set
LEFT_OUT_NAMES = (
    (
        r"HOME|PATH|USER|LOGNAME|SHELL|HOSTNAME|PWD|OLDPWD|SHLVL|_|TERM|COLORTERM|LANG|LANGUAGE|LC_.*|TZ|TMPDIR|XDG_.*|"
        r"TRAINYARD_.*|VIRTUAL_ENV|(NO|FORCE)_COLOR|SSL_CERT_.*|(REQUESTS|CURL)_CA_BUNDLE|(?i:https?|no|all)_proxy",
        "the machine's, or a terminal's",
    ),
    (r"GPG_KEY|PYTHON_.*|PYTHONUNBUFFERED|PYTHONDONTWRITEBYTECODE", "how the image's Python was made and is started"),
    (r"PIP_.*|UV_.*", "for installing"),
    (r"KUBERNETES_.*|.*_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\d+_(TCP|UDP)(_.*)?)?)", "Kubernetes sets them"),
    (r"MLFLOW_(HTTP_REQUEST|DISABLE|ENABLE).*|KMP_.*|TORCH_.*|CRC32C_.*", "trainers and libraries set them themselves"),
)
LEFT_OUT_PACKAGES = ((r"pip|setuptools|wheel|uv", "they install, and train nothing"),)
LEFT_OUT_METRICS = (
    (r"(.*[/_])?(time|seconds|speed|fps|memory|ram)([/_].*)?|.*/s|.*per_s(ec(ond)?)?", "how fast, in how much memory"),
)
LEFT_OUT_EVENTS = (
    (r"heartbeat", "on a timer"),
    (r"preparing|waiting|launched|stuck|unstuck|changed", "how long something took"),
)
# told by threads that upload: when, and how often, follows from the network; whether at all does not
IN_THE_BACKGROUND = frozenset({"checkpoint", "sample", "mlflow_run", "warning", "environment"})
FACTS = ("python", "implementation", "system", "libc", "gpus")  # not kernel and cpus: each machine has its own


@dataclass(frozen=True, slots=True)
class Run:
    """One column: a job as the API shows it, its surroundings, its events' types and states, its metrics' curves."""

    label: str
    job: Mapping[str, Any]
    surroundings: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]
    curves: Mapping[str, Any]

    @property
    def told(self) -> Mapping[str, Any]:
        found = self.surroundings.get("environment")
        return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Difference:
    """A value for each run, in their order."""

    group: str
    what: str
    values: tuple[str, ...]


@dataclass(slots=True)
class Comparison:
    differences: list[Difference] = field(default_factory=list[Difference])
    notes: list[str] = field(default_factory=list[str])  # what could not be compared

    def add(self, group: str, what: str, values: Sequence[object]) -> None:
        """Kept where they are not all the same."""
        shown = tuple(_shown(value) for value in values)
        if len(set(shown)) > 1:
            self.differences.append(Difference(group, what, shown))


def compare(runs: Sequence[Run], tolerance: float) -> Comparison:
    """Everything that differs, in the order in which it is worth reading."""
    made = Comparison()
    made.add("end", "state", [_end(run) for run in runs])
    made.add("job", "model", [run.job.get("model") for run in runs])
    _of_each(made, "parameters", runs, lambda run: run.job.get("params"))
    _known(made, "code", "hash", runs, "code_hash")
    _known(made, "dataset", "sha256", runs, "dataset_sha256")
    made.add("dataset", "id", [run.surroundings.get("dataset_id") for run in runs])
    _images(made, runs)
    _environments(made, runs)
    made.add("events", "of the trainer", [_sequence(run) for run in runs])
    made.add("events", "in the background", [", ".join(sorted(_in_background(run))) for run in runs])
    made.add("events", "states", [" → ".join(_states(run)) for run in runs])
    for name in sorted({name for run in runs for name in run.curves} - _left_out(LEFT_OUT_METRICS, runs)):
        _metric(made, name, runs, tolerance)
    return made


def is_left_out(name: str, table: Iterable[tuple[str, str]]) -> bool:
    return any(re.fullmatch(pattern, name) for pattern, _ in table)


def _left_out(table: Iterable[tuple[str, str]], runs: Sequence[Run]) -> set[str]:
    return {name for run in runs for name in run.curves if is_left_out(name, table)}


def _shown(value: object) -> str:
    text = ", ".join(map(str, cast("list[object]", value))) if isinstance(value, list) else str(value)
    return NOT_THERE if value is None or text == "" else text


def _end(run: Run) -> str:
    return f"{run.job['state']} {run.job['reason'] or ''}".strip()


def _of_each(
    made: Comparison,
    group: str,
    runs: Sequence[Run],
    part: Callable[[Run], object],
    left_out: Iterable[tuple[str, str]] = (),
) -> None:
    """Name by name; a name that a run lacks is a difference, too."""
    parts = [_mapping(part(run)) for run in runs]
    for name in sorted({name for one in parts for name in one}):
        if not is_left_out(name, left_out):
            made.add(group, name, [one.get(name) if name in one else None for one in parts])


def _mapping(value: object) -> Mapping[str, Any]:
    """What a trainer sends may be anything."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _known(made: Comparison, group: str, what: str, runs: Sequence[Run], name: str) -> None:
    """Between those of which it is known."""
    values = [run.surroundings.get(name) for run in runs]
    unknown = [run.label for run, value in zip(runs, values, strict=True) if value is None]
    if unknown:
        made.notes.append(f"The {group} could not be compared: nobody noted that of {', '.join(unknown)}.")
    if len({value for value in values if value is not None}) > 1:
        made.add(group, what, [value and str(value)[:12] for value in values])


def _images(made: Comparison, runs: Sequence[Run]) -> None:
    """Local runs have none, and need none."""
    images = [run.surroundings.get("image") for run in runs]
    if len({image for image in images if image}) > 1:
        made.add("image", "name", images)


def _environments(made: Comparison, runs: Sequence[Run]) -> None:
    silent = [run.label for run in runs if not run.told or "problem" in run.told]
    if silent:
        made.notes.append(f"Packages and variables could not be compared: {', '.join(silent)} told nothing of them.")
        made.add("events", "environment", ["" if run.label in silent else "told" for run in runs])
        return
    if any(run.told.get("cut") for run in runs):
        made.notes.append("Packages and variables are compared in part: there were too many to tell.")
    _of_each(made, "python", runs, lambda run: {name: run.told.get(name) for name in FACTS})
    _of_each(made, "torch", runs, lambda run: run.told.get("torch"))
    _of_each(made, "packages", runs, lambda run: run.told.get("packages"), LEFT_OUT_PACKAGES)
    _of_each(made, "variables", runs, lambda run: run.told.get("variables"), LEFT_OUT_VARIABLES)
    _of_each(made, "variables", runs, _others, (*LEFT_OUT_VARIABLES, *LEFT_OUT_NAMES))


def _others(run: Run) -> Mapping[str, str]:
    names = run.told.get("other_variables")
    return {str(name): "set" for name in cast("list[object]", names)} if isinstance(names, list) else {}


def _sequence(run: Run) -> str:
    """What the trainer's main thread told, in order: `running, dataset_ready, 3 x validation, done`."""
    types = [str(event["type"]) for event in run.events if event["type"] not in ("state", "cancel_requested")]
    own = [type for type in types if type not in IN_THE_BACKGROUND and not is_left_out(type, LEFT_OUT_EVENTS)]
    counted = [(type, len(list(same))) for type, same in groupby(own)]
    return ", ".join(type if count == 1 else f"{count} x {type}" for type, count in counted)


def _in_background(run: Run) -> set[str]:
    return {str(event["type"]) for event in run.events} & (IN_THE_BACKGROUND - {"environment"})


def _states(run: Run) -> list[str]:
    return [str(_mapping(event["data"]).get("to")) for event in run.events if event["type"] == "state"]


def _metric(made: Comparison, name: str, runs: Sequence[Run], tolerance: float) -> None:
    """Which epochs there are; and the epoch at which it differs most."""
    points = [_points(run.curves.get(name)) for run in runs]
    made.add("metrics", f"{name}, epochs", [_ranges(sorted(one)) for one in points])
    common = set[int].intersection(*map(set, points))
    apart = {step: _apart([one[step] for one in points]) for step in common}
    beyond = {step: distance for step, distance in apart.items() if distance > tolerance}
    if beyond:
        worst, first = max(beyond, key=lambda step: (beyond[step], -step)), min(beyond)
        since = "" if first == worst else f", differs from epoch {first} on"
        values = [f"{one[worst]:.9g}" for one in points]
        made.differences.append(Difference("metrics", f"{name}, epoch {worst}{since}", tuple(values)))


def _points(curve: object) -> dict[int, float]:
    """NaN and infinities come spelled out, and float() reads them."""
    found = _mapping(curve)
    return {
        int(step): float(value) for step, value in zip(found.get("steps", ()), found.get("values", ()), strict=True)
    }


def _apart(values: Sequence[float]) -> float:
    """How far the smallest and the largest are apart, relative to the larger; not at all where all are alike NaN."""
    if all(map(math.isnan, values)) or len(set(values)) == 1:
        return 0.0
    if not all(map(math.isfinite, values)):
        return math.inf
    return (max(values) - min(values)) / max(map(abs, values))


def _ranges(steps: Sequence[int]) -> str:
    """1-3, 5."""
    runs = [list(same) for _, same in groupby(enumerate(steps), lambda pair: pair[1] - pair[0])]
    spans = [(one[0][1], one[-1][1]) for one in runs]
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in spans)
