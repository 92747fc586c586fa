"""The OpenAPI document against the running backend: schemathesis makes the calls, wrong ones among them."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from tests.real.backend import TOKEN, Backend
from trainyard.api.app import create_app
from trainyard.settings import load_settings

# streams end when the client goes: a call that reads them to their end waits for ever
STREAMS = {"/v1/events", "/v1/jobs/{job_id}/log/stream"}
CHECKED_BY_CONTENT = {
    ("post", "/v1/jobs"),
    ("post", "/v1/datasets"),
    ("post", "/v1/datasets/register"),
    ("post", "/v1/uploads"),
    ("put", "/v1/code/{hash}"),
}
DOCUMENT = create_app(load_settings()).openapi()
CALLS = [(method, path) for path, item in DOCUMENT["paths"].items() if path not in STREAMS for method in item]


@schemathesis.serializer("application/zip")
def as_it_is(_context: Any, value: Any) -> Any:
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def described(shared: Backend) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{shared.url}/v1/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"})


@pytest.mark.parametrize(("method", "path"), CALLS, ids=lambda value: str(value))
def test_a_route_does_what_its_description_says(described: schemathesis.BaseSchema, method: str, path: str) -> None:
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(described[path][method].as_strategy())
    def call(case: schemathesis.Case) -> None:
        # no schema can say which trainers exist or which bytes are a dataset or code
        beyond = [schemathesis.checks.positive_data_acceptance] if (method, path) in CHECKED_BY_CONTENT else []
        case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"}, excluded_checks=beyond)

    call()
