"""Quantities are Kubernetes' own; what people write instead is answered with what they meant."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trainyard.contract.quantities import amount, check_cpu, check_memory, mebibytes
from trainyard.contract.resources import Needs, Resources


@pytest.mark.parametrize(
    ("text", "count"),
    [("2Gi", 2 << 30), ("2G", 2 * 10**9), ("512Mi", 512 << 20), ("1.5Gi", 3 << 29), ("4294967296", 1 << 32),
     ("1048576", 1 << 20), ("2048Ki", 2 << 20), ("1Ti", 1 << 40)],
)  # fmt: skip
def test_memory_is_what_kubernetes_reads(text: str, count: int) -> None:
    assert check_memory(text) == text
    assert amount(text) == count


@pytest.mark.parametrize(("given", "text"), [("2", "2"), (2, "2"), (0.5, "0.5"), ("500m", "500m"), ("1.25", "1.25")])
def test_cpus_may_be_numbers_or_texts(given: object, text: str) -> None:
    assert check_cpu(given) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2 GB", "'2 GB' is no amount of memory: write 2Gi (counted in 1024s) or 2G (in 1000s)"),
        ("2gb", "write 2Gi"), ("2GiB", "write 2Gi"), ("512 mb", "write 512Mi"), ("1,5 GB", "write 1.5Gi"),
        ("2g", "write 2Gi"), ("lots", "write 2Gi"), ("", "write 2Gi"), ("-1Gi", "no amount"), ("1e3", "no amount"),
        ("500m", "no amount of memory"), ("512", "512 is less than 1 MiB: write 512Mi or 512Gi"), ("0", "less than"),
        ("8Pi", "more memory than any machine"), ("2Gi\n", "no amount"), ("٣Gi", "no amount"), ("{{2Gi}}", "no amount"),
        ("9" * 400 + "Gi", "no amount"),
    ],
)  # fmt: skip
def test_a_wrong_amount_of_memory_names_the_right_one(text: str, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        check_memory(text)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("given", ["2 cores", "50%", "2Gi", "", "-1", "0", "1e9", "100000", "nan", True, None, [1]])
def test_a_wrong_number_of_cpus_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match=r"CPUs|quantity"):
        check_cpu(given)


@given(st.text(max_size=40))
def test_any_text_is_a_quantity_or_an_error_in_words(text: str) -> None:
    for check in (check_memory, check_cpu):
        try:
            assert amount(check(text)) > 0
        except ValueError as error:
            assert str(error)


@given(st.integers(1 << 20, 1 << 45))
def test_mebibytes_never_give_less(count: int) -> None:
    assert 0 <= amount(mebibytes(Fraction(count))) - count < 1 << 20


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"memory": "2 GB"}, "write 2Gi"), ({"cpu": "two"}, "write 2 for two"), ({"gpus": -1}, "greater than"),
        ({"gpus": 65}, "less than"), ({"replicas": 0}, "greater than"), ({"image": "My Image"}, "is no image"),
        ({"image": "a/b:tag\n"}, "is no image"), ({"image": "a//b"}, "is no image"), ({"image": ""}, "is no image"),
        ({"node_selector": {"a b": "c"}}, "pattern"), ({"node_selector": {"a": "c d"}}, "pattern"),
        ({"queue": "Mine!"}, "pattern"), ({"tolerations": [{"key": "a", "effect": "Never"}]}, "NoSchedule"),
        ({"surprise": 1}, "surprise"),
    ],
)  # fmt: skip
def test_resources_are_checked_where_they_come_in(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Resources.model_validate(given)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "image", ["python", "python:3.11-slim", "localhost/trainer-x:dev", "ghcr.io/me/trainer_x:v1.2", "host:5000/a/b",
              f"ghcr.io/me/x@sha256:{'a' * 64}", f"ghcr.io/me/x:1@sha256:{'0' * 64}"]
)  # fmt: skip
def test_images_as_registries_name_them_are_taken(image: str) -> None:
    assert Resources(image=image).image == image


def test_what_was_asked_for_cannot_change_afterwards() -> None:
    with pytest.raises(ValidationError):
        Needs(cpu="1").cpu = "2"  # type: ignore[misc]
