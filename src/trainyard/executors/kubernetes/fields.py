"""Reading what the API server answers as plain dicts: what is missing or of another kind is empty, never an error."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from trainyard.contract.quantities import amount

Fields = Mapping[str, Any]


def at(value: object, *path: str) -> object:
    """What lies there; None where the way ends before."""
    for name in path:
        value = cast(dict[str, object], value).get(name) if isinstance(value, dict) else None
    return value


def text(value: object, *path: str) -> str:
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def whole(value: object, *path: str) -> int | None:
    found = at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def each(value: object, *path: str) -> list[Fields]:
    """The dicts in a list."""
    found = at(value, *path)
    items = cast(list[object], found) if isinstance(found, list) else []
    return [cast(dict[str, Any], item) for item in items if isinstance(item, dict)]


def condition(value: object, kind: str, status: str = "True") -> Fields | None:
    """A condition of a pod or Job that holds (or, with status "False", does not)."""
    found = (one for one in each(value, "status", "conditions") if one.get("type") == kind)
    return next((one for one in found if one.get("status") == status), None)


def latest(events: Sequence[Fields], *reasons: str) -> str:
    """The newest event's message of these reasons; they may come in any order."""
    found = [one for one in events if text(one, "reason") in reasons]
    return text(max(found, key=_told_at), "message") if found else ""


def _told_at(event: Fields) -> str:
    times = ("lastTimestamp", "eventTime", "firstTimestamp")
    told = (str(event[name]) for name in times if event.get(name))
    return text(event, "series", "lastObservedTime") or next(told, "")


def moment(said: str) -> float:
    """Kubernetes' times as seconds since 1970; 0 for what is none."""
    try:
        return datetime.fromisoformat(said).timestamp()
    except ValueError:
        return 0.0


def quantity(value: object) -> float | None:
    """500m → 0.5, 4Gi → 4294967296; None where it is none."""
    try:
        return float(amount(str(value)))
    except ValueError:
        return None


def shown(resource: str, amount: float) -> str:
    """As people write it: 0.5, 4, 1.5 GiB."""
    if resource not in ("memory", "ephemeral-storage"):
        return f"{amount:g}"
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.3g} {unit}"
        amount /= 1024
    return f"{amount:.3g} GiB"
