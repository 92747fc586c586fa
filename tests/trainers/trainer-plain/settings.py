"""What a run is told, and what it says: variables with their checks, and lines that bear the trace."""

import os

TRACE = os.getenv("TRACE_ID") or os.urandom(8).hex()


class BadConfiguration(ValueError):
    """A variable is missing or wrong: one line says which, and the exit code is 2."""


def text(name, meaning):
    value = os.getenv(name, "").strip()
    if not value:
        raise BadConfiguration(f"{name} is not set: it should be {meaning}")
    return value


def number(name, default, low, high, kind=float):
    value, word = os.getenv(name, "").strip() or str(default), "a whole number" if kind is int else "a number"
    try:
        if low <= kind(value) <= high:  # NaN isn't
            return kind(value)
    except ValueError:
        pass
    raise BadConfiguration(f"{name}={value} is not valid: it should be {word} from {low:g} to {high:g}")


def choice(name, *known):
    value = os.getenv(name, "").strip() or known[0]
    if value not in known:
        raise BadConfiguration(f"{name}={value} is not valid: it should be {' or '.join(known)}")
    return value


def say(words, file=None):
    print(f"[TRACE:{TRACE}] " + str(words).strip().replace("\n", f"\n[TRACE:{TRACE}] "), file=file, flush=True)
