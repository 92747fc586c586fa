"""Why no node takes a pod: the scheduler's sentence in words, with what is asked for and what there is. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trainyard.executors.kubernetes.fields import Fields, at, each, quantity, shown
from trainyard.executors.kubernetes.resources import GPU

_COUNTS = re.compile(r"^0/(\d+) nodes are available(?: ?: |:)?(.*)$", re.DOTALL)
_END = re.compile(r"\.*\s*(?:preemption: .*)?$", re.DOTALL)
_TAINT = re.compile(r"untolerated taint(?:\(s\))? ?\{?([^}]*)|taint \{([^}]*)\}")
RESOURCES = {"cpu": "CPU", "memory": "memory", "nvidia.com/gpu": "GPUs", "ephemeral-storage": "disk space"}


@dataclass(frozen=True, slots=True)
class NoRoom:
    what: str
    hint: str


def explain(message: str, pod: Fields, nodes: Sequence[Fields]) -> NoRoom:
    """`nodes`: the cluster's, where they may be read; without them nothing is said of how much there is."""
    match = _COUNTS.match(message.strip())
    if match is None:
        return _in_a_word(message)
    total, rest = match[1], _END.sub("", match[2])
    parts = re.findall(r"(\d+) (.+?)(?=, \d+ |$)", rest, re.DOTALL)
    said = [_said(int(count), why.strip(), pod, nodes) for count, why in parts]
    if not said:
        return NoRoom(f"None of the cluster's {total} nodes can take it: {rest or 'no reason is given'}.", _HINTS[""])
    which = "The cluster's only node can't" if total == "1" else f"None of the cluster's {total} nodes can"
    return NoRoom(f"{which} take it: {'; '.join(what for what, _ in said)}.", _most_useful([hint for _, hint in said]))


_HINTS = {
    "ask": "Ask for less, wait until other pods have ended, or add a node that is large enough.",
    "taint": "Give the training a toleration for that taint, or free a node of it.",
    "select": "Correct the node selector, or label a node so that it fits.",
    "cordoned": "`kubectl uncordon NODE` makes a node take pods again.",
    "volume": "Look at the claim with `kubectl get pvc`: it waits for a volume, or has one that another node holds.",
    "": "`kubectl describe nodes` shows what each node has and why it refuses.",
}
_ORDER = ("ask", "select", "volume", "taint", "cordoned", "")


def _most_useful(hints: list[str]) -> str:
    return _HINTS[min(hints, key=_ORDER.index)]


def _said(count: int, why: str, pod: Fields, nodes: Sequence[Fields]) -> tuple[str, str]:
    """One part of the scheduler's list, and which hint belongs to it."""
    if why.startswith("Insufficient "):
        resource = why.removeprefix("Insufficient ").split()[0].rstrip(",.")
        name = RESOURCES.get(resource, resource)
        how_much = f"too {'few' if name == 'GPUs' else 'little'} {name}{_amounts(resource, pod, nodes)}"
        return f"{count} {_has(count)} {how_much}", "ask"
    taint = _TAINT.search(why)
    if taint is not None:
        return f"{count} {_has(count)} the taint {(taint[1] or taint[2] or '').strip(' :') or 'unknown'}", "taint"
    for sign, words in _SIGNS:
        if sign in why:
            return words(count)
    return f"{count} {why}", ""


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


_SIGNS: tuple[tuple[str, Callable[[int], tuple[str, str]]], ...] = (
    ("node affinity/selector", lambda n: (f"{n} {'does' if n == 1 else 'do'} not fit its node selector", "select")),
    ("node selector", lambda n: (f"{n} {'does' if n == 1 else 'do'} not fit its node selector", "select")),
    ("were unschedulable", lambda n: (f"{n} {'is' if n == 1 else 'are'} cordoned", "cordoned")),
    ("volume node affinity", lambda n: (f"{n} can't reach its volume", "volume")),
    ("PersistentVolumeClaim", lambda n: (f"{n} can't give it its volume: the claim is not bound", "volume")),
    ("Too many pods", lambda n: (f"{n} {_has(n)} as many pods as allowed", "ask")),
)


def _amounts(resource: str, pod: Fields, nodes: Sequence[Fields]) -> str:
    """(it asks for 8, the largest node has 4)."""
    asked = _asked(resource, pod)
    told = [] if asked is None else [f"it asks for {shown(resource, asked)}"]
    if nodes:
        most = max((quantity(at(node, "status", "allocatable", resource)) or 0.0) for node in nodes)
        told.append("no node has any" if most == 0 else f"the largest node has {shown(resource, most)} in all")
    return f" ({', '.join(told)})" if told else ""


def _asked(resource: str, pod: Fields) -> float | None:
    """What its containers ask for together; an init container counts alone, where it asks for more."""
    main = [_of(one, resource) for one in each(pod, "spec", "containers")]
    before = [_of(one, resource) for one in each(pod, "spec", "initContainers")]
    most = max(sum(main), *before, 0.0)
    return most or None


def _of(container: Fields, resource: str) -> float:
    asked = quantity(at(container, "resources", "requests", resource))
    return asked if asked is not None else quantity(at(container, "resources", "limits", resource)) or 0.0


def _in_a_word(message: str) -> NoRoom:
    if "no nodes available" in message:
        return NoRoom("The cluster has no nodes that take pods.", "`kubectl get nodes` shows them, and what is wrong.")
    claim = re.search(r'persistentvolumeclaim "([^"]+)" not found', message)
    if claim is not None:
        return NoRoom(f"Its volume claim {claim[1]} does not exist.", "Make it, or correct the name in the settings.")
    if "unbound immediate PersistentVolumeClaims" in message:
        return NoRoom("Its volume claim is not bound to a volume yet.", _HINTS["volume"])
    said = message.strip().rstrip(".")
    return NoRoom(
        f"No node takes it: {said}." if said else "No node takes it, and the scheduler gives no reason.", _HINTS[""]
    )


def too_many_gpus(wanted: int, nodes: Sequence[Fields]) -> str:
    """A sentence where no node has so many; empty where one has, or nobody knows."""
    most = max((quantity(at(node, "status", "allocatable", GPU) or "0") or 0.0 for node in nodes), default=None)
    if most is None or wanted <= most:
        return ""
    asked = "a GPU" if wanted == 1 else f"{wanted} GPUs"
    return f"No node of the cluster has {asked}; the most that one has is {most:g}. It waits until one comes."
