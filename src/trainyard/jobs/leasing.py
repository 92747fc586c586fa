"""Which slot and GPUs a job gets on this machine: pure; the table `leases` makes it exclusive."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trainyard.contract.vocabulary import Execution
from trainyard.executors.base import Capacity
from trainyard.jobs.model import Job

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0  # seconds between two attempts of a job


@dataclass(frozen=True, slots=True)
class Grant:
    resources: tuple[str, ...]
    gpus: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now, and in a sentence why."""

    why: str


@dataclass(frozen=True, slots=True)
class Never:
    """This machine can't ever run it."""

    why: str


Turn = Grant | Wait | Never


def share_out(
    waiting: Sequence[Job],
    node: str,
    capacities: Mapping[Execution, Capacity | Wait | None],
    held: Mapping[str, str],
    now: float,
) -> list[tuple[Job, Turn]]:
    """What each waiting job gets, the first in line first. A tier without a capacity queues by itself."""
    taken, turns = dict(held), list[tuple[Job, Turn]]()
    for job in waiting:
        turn = _pause(job, now) or _turn(job, node, capacities[job.execution], taken)
        if isinstance(turn, Grant):
            taken |= dict.fromkeys(turn.resources, job.id)
        turns.append((job, turn))
    return turns


def _turn(job: Job, node: str, capacity: Capacity | Wait | None, held: Mapping[str, str]) -> Turn:
    match capacity:
        case None:
            return Grant((), ())
        case Wait():
            return capacity
        case Capacity():
            return grant(job, node, capacity, held)


def _pause(job: Job, now: float) -> Wait | None:
    """Between two attempts, longer each time: what took the first away may still be at work."""
    pause = 0.0 if job.attempt == 1 else min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (job.attempt - 2))
    return Wait(job.message) if now - (job.queued_at or 0) < pause else None


def grant(job: Job, node: str, capacity: Capacity, held: Mapping[str, str]) -> Turn:
    wanted = job.gpus if job.gpus is not None else min(1, len(capacity.gpus))
    if wanted > len(capacity.gpus):
        return Never(f"It asks for {wanted} GPU(s); this machine has {len(capacity.gpus)}.")
    slots = [slot_name(node, index) for index in range(capacity.slots)]
    free_slot = next((slot for slot in slots if slot not in held), None)
    if free_slot is None:
        return Wait(f"Waits for a slot: {len(slots)} of {len(slots)} in use by {_holders(held, slots)}.")
    cards = {index: gpu_name(node, index) for index in capacity.gpus}
    free = [index for index, name in cards.items() if name not in held]
    if len(free) < wanted:
        return Wait(
            f"Waits for {wanted} GPU(s): {len(free)} free, the rest in use by {_holders(held, cards.values())}."
        )
    chosen = tuple(free[:wanted])
    return Grant((free_slot, *(cards[index] for index in chosen)), chosen)


def gpus_of(node: str, resources: list[str]) -> tuple[int, ...]:
    """The GPU indices among leased resources."""
    prefix = gpu_name(node, 0).removesuffix("0")
    return tuple(sorted(int(name.removeprefix(prefix)) for name in resources if name.startswith(prefix)))


def slot_name(node: str, index: int) -> str:
    return f"{node}/slot/{index}"


def gpu_name(node: str, index: int) -> str:
    return f"{node}/gpu/{index}"


def _holders(held: Mapping[str, str], names: Iterable[str]) -> str:
    holders = sorted({held[name] for name in names if name in held})
    return ", ".join(holders[:3]) + (" and others" if len(holders) > 3 else "")
