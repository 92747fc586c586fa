"""Kubernetes' quantities: 500m, 2, 4Gi. A wrong one is answered with the right one that was probably meant."""

import math
import re
from fractions import Fraction

_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?|\.[0-9]{1,9})(m|k|[MGTP]|[KMGTP]i)?")
_HUMAN = re.compile(r"\s*([0-9]{1,12}(?:[.,][0-9]{1,3})?)\s*([kmgtp])i?(?:b|byte|bytes)?\s*", re.IGNORECASE)
_FACTORS = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    **{unit: Fraction(1000 ** (power + 1)) for power, unit in enumerate(("k", "M", "G", "T", "P"))},
    **{unit: Fraction(1024 ** (power + 1)) for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi"))},
}
_SMALLEST_MEMORY = 1 << 20  # nothing starts with less: a number without a unit was meant as one with
_LARGEST_MEMORY = 1 << 50
_LARGEST_CPU = 10_000


def amount(quantity: str) -> Fraction:
    """Bytes or CPUs of a checked quantity."""
    found = _QUANTITY.fullmatch(quantity)
    if found is None:
        raise ValueError("is no quantity")
    return Fraction(found[1]) * _FACTORS[found[2] or ""]


def mebibytes(count: Fraction) -> str:
    """A number of bytes as a quantity, rounded up to whole Mi."""
    return f"{math.ceil(count / (1 << 20))}Mi"


def check_memory(given: object) -> str:
    """Memory as Kubernetes writes it. Raises ValueError that names what to write instead."""
    text = _text(given)
    found = _QUANTITY.fullmatch(text)
    if found is None or found[2] == "m":
        raise ValueError(f"{_shown(text)} is no amount of memory: {_meant(text)}")
    count = amount(text)
    if count < _SMALLEST_MEMORY:
        number = text.removesuffix(found[2] or "")
        raise ValueError(f"{text} is less than 1 MiB: write {number}Mi or {number}Gi if you meant that")
    if count > _LARGEST_MEMORY:
        raise ValueError(f"{text} is more memory than any machine has")
    return text


def check_cpu(given: object) -> str:
    """CPUs as Kubernetes writes them: 2, 0.5 or 500m. Raises ValueError that names what to write instead."""
    text = _text(given)
    found = _QUANTITY.fullmatch(text)
    if found is None or found[2] not in (None, "m"):
        raise ValueError(f"{_shown(text)} is no number of CPUs: write 2 for two, 500m or 0.5 for half of one")
    if not Fraction(1, 1000) <= amount(text) <= _LARGEST_CPU:
        raise ValueError(f"{text} is no number of CPUs that a pod can have: it is from 1m to {_LARGEST_CPU}")
    return text


def _text(given: object) -> str:
    """`cpu = 2` in TOML or JSON is a number, and as good as "2"."""
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return str(given)
    if not isinstance(given, str):
        raise ValueError("must be a quantity such as 2 or 4Gi")
    return given


def _meant(text: str) -> str:
    human = _HUMAN.fullmatch(text)
    if human is None:
        return "write 2Gi (1024³ bytes each), 2G (1000³) or 512Mi"
    number, unit = human[1].replace(",", "."), human[2].upper()
    return f"write {number}{unit}i (counted in 1024s) or {number}{'k' if unit == 'K' else unit} (in 1000s)"


def _shown(text: str) -> str:
    return repr(text[:40])
