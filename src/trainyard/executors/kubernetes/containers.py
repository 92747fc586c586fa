"""What a container's status says: why it waits, or how it ended. Pure."""

import re
from collections.abc import Sequence

from trainyard.contract.vocabulary import Reason
from trainyard.executors.kubernetes import images
from trainyard.executors.kubernetes.fields import Fields, at, each, latest, text, whole
from trainyard.executors.kubernetes.finding import AT_ONCE, LATER, NOTHING_WRONG, SOON, Diagnosis
from trainyard.logs.files import last_traceback

_MISSING = re.compile(r'(?P<kind>secret|configmap)s? "(?P<name>[^"]+)" not found', re.IGNORECASE)
_KEY = re.compile(r"couldn't find key (?P<key>\S+) in (?P<kind>Secret|ConfigMap) (?P<name>\S+)")
_PROGRAM = re.compile(
    r'exec: "(?P<program>[^"]+)":(?: stat \S+)? (?P<why>no such file or directory|executable file not found'
    r"|permission denied)"
)
_NOT_STARTED = ("StartError", "ContainerCannotRun", "RunContainerError", "CreateContainerError")
_SIGNALS = range(129, 160)  # as shells and runtimes spell the end by a signal


def of_status(status: Fields, pod: Fields, events: Sequence[Fields], init: bool) -> Diagnosis | None:
    """None while it runs, is about to start, or has ended well."""
    waiting = at(status, "state", "waiting")
    ended = at(status, "state", "terminated") or at(status, "lastState", "terminated")
    if waiting is not None and text(waiting, "reason") != "CrashLoopBackOff":
        found = _waiting(status, waiting, pod, events)
        if found is not None or ended is None:
            return found
    return None if ended is None else _ended(status, ended, pod, init)


# -- waiting --------------------------------------------------------------------------------------------------------


def _waiting(status: Fields, waiting: object, pod: Fields, events: Sequence[Fields]) -> Diagnosis | None:
    reason, message = text(waiting, "reason"), text(waiting, "message")
    if reason in images.WAITING:
        spec = _spec(status, pod)
        image = text(spec, "image") or text(status, "image") or "of this training"
        pulled = latest([one for one in events if "pull" in text(one, "message")], "Failed", "FailedToInspectImage")
        return images.of_waiting(reason, message, image, pulled, text(pod, "spec", "nodeName"))
    line = f"{reason}: {message}" if message else reason
    if reason == "CreateContainerConfigError":
        return _unconfigured(message, line)
    if reason in _NOT_STARTED or reason == "PostStartHookError":
        return _not_started(message, line, SOON)
    return None


def missing(message: str, line: str) -> Diagnosis | None:
    """A Secret or ConfigMap that is named but not there: also what keeps a volume from being mounted."""
    if match := _MISSING.search(message):
        kind = "Secret" if match["kind"].lower() == "secret" else "ConfigMap"
        what = f"The {kind} {match['name']}, which its pod needs, does not exist."
        hint = f"If it was deleted by hand, try again: it is made anew. Else make it: `kubectl create {kind.lower()}`."
        return Diagnosis(Reason.LAUNCH_FAILED, what, hint, [line], SOON)
    if match := _KEY.search(message):
        what = f"The {match['kind']} {match['name']} has no key {match['key']}, which its pod needs."
        return Diagnosis(Reason.LAUNCH_FAILED, what, "Add that key, or correct its name in the settings.", [line], SOON)
    return None


def _unconfigured(message: str, line: str) -> Diagnosis:
    found = missing(message, line)
    if found is not None:
        return found
    if "runAsNonRoot" in message:
        what = "The image runs as root, and trainings may not."
        hint = "Name a user by its number in the image's Dockerfile: `USER 1000`."
        return Diagnosis(Reason.LAUNCH_FAILED, what, hint, [line])
    what = f"Its container can't be set up: {message or 'the kubelet gives no reason'}."
    passing = "failed to sync" in message  # the kubelet has not seen it yet
    return Diagnosis(Reason.LAUNCH_FAILED, what, "Correct what the line names.", [line], LATER if passing else SOON)


def _not_started(message: str, line: str, patience: float) -> Diagnosis:
    if match := _PROGRAM.search(message):
        why = {
            "no such file or directory": "is not in the image",
            "executable file not found": "is not in the image",
            "permission denied": "may not be run by the image's user",
        }[match["why"]]
        what = f"The program {match['program']} {why}."
        return Diagnosis(Reason.LAUNCH_FAILED, what, "Take an image that has it, or correct the command.", [line])
    if "exec format error" in message:
        what = "The image was not built for the node's kind of processor."
        hint = "Build it for that platform (`docker build --platform`), or choose other nodes."
        return Diagnosis(Reason.LAUNCH_FAILED, what, hint, [line])
    if "OOM-killed" in message or "memory limit too low" in message:
        what = "Its memory limit is too small even to start the container."
        return Diagnosis(Reason.OUT_OF_MEMORY, what, "Give it more memory.", [line])
    if "nvidia" in message.lower():
        what = "The node's NVIDIA runtime could not give the container a GPU."
        return Diagnosis(Reason.LAUNCH_FAILED, what, "Look at the node's driver with `nvidia-smi`.", [line], patience)
    what = f"Its container could not be started: {message.strip()[:500] or 'the runtime gives no reason'}."
    return Diagnosis(Reason.LAUNCH_FAILED, what, "Correct what the line names, then try again.", [line], patience)


# -- ended ----------------------------------------------------------------------------------------------------------


def _ended(status: Fields, ended: object, pod: Fields, init: bool) -> Diagnosis | None:
    reason, message, code = text(ended, "reason"), text(ended, "message"), whole(ended, "exitCode")
    line = f"{reason or 'Terminated'}: exit code {code}"
    if reason == "OOMKilled":
        return _out_of_memory(status, pod, code, line)
    if reason == "ContainerStatusUnknown":
        what = "Its node went away, and nobody knows what became of the container."
        return Diagnosis(Reason.EVICTED, what, NOTHING_WRONG, [f"{line}: {message}"], relaunch=True)
    if reason in _NOT_STARTED:
        return _not_started(message, f"{line}: {message}", AT_ONCE)
    if not code:
        return None
    return _crashed(text(status, "name"), code, whole(ended, "signal"), message, line, init)


def _out_of_memory(status: Fields, pod: Fields, code: int | None, line: str) -> Diagnosis:
    limit = text(_spec(status, pod), "resources", "limits", "memory")
    than = f"more memory than its limit of {limit}" if limit else "more memory than its node had"
    what = f"The container was killed because it used {than}."
    if code == 0:
        what = f"A process of the trainer was killed because the container used {than}; its exit code was 0."
    hint = "Give it more memory, or take a smaller batch_size, image_size or number of workers."
    told = [line, f"memory limit {limit}"] if limit else [line]
    return Diagnosis(Reason.OUT_OF_MEMORY, what, hint, told, exit_code=code)


def _crashed(name: str, code: int, number: int | None, message: str, line: str, init: bool) -> Diagnosis:
    """`message` is the end of its output, with terminationMessagePolicy FallbackToLogsOnError."""
    number = number or (code - 128 if code in _SIGNALS else None)
    traceback = last_traceback(message)
    said = [text for text in (traceback or message).splitlines() if text.strip()]
    last = said[-1].strip()[:500] if said else ""
    how = f"signal {number}" if number else f"exit code {code}"
    lines = [last, line] if last else [line]
    if init:
        what = f"Its step {name} failed before the training began ({how}){': ' + last if last else '.'}"
        hint = "It fetches the trainer's code from the storage: look whether the cluster reaches that."
        return Diagnosis(Reason.LAUNCH_FAILED, what, hint, lines, AT_ONCE, False, code, number, message)
    what = f"The trainer ended with {how}{': ' + last if last else '.'}"
    hint = "The traceback names file and line; the log shows what came before it."
    return Diagnosis(Reason.TRAINER_ERROR, what, hint, lines, AT_ONCE, False, None if number else code, number, message)


def _spec(status: Fields, pod: Fields) -> Fields:
    """The container's part of the pod's spec."""
    both = [*each(pod, "spec", "containers"), *each(pod, "spec", "initContainers")]
    named: list[Fields] = [one for one in both if one.get("name") == status.get("name")]
    return named[0] if named else {}
