"""The page's files as the backend sends them."""

import httpx2
import pytest

from tests.real.backend import Backend


def test_scripts_come_packed_and_for_ever_the_page_itself_fresh(shared: Backend) -> None:
    with httpx2.Client(base_url=shared.url) as anybody:  # nobody is signed in: it holds no data
        page = anybody.get("/jobs/any-address-of-the-page")
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-cache"
        assert "default-src 'self'" in page.headers["content-security-policy"]
        script = page.text.partition('type="module" crossorigin src="')[2].partition('"')[0]
        packed = anybody.get(script)
        plain = anybody.get(script, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert "javascript" in packed.headers["content-type"]
    assert "immutable" in packed.headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/assets/gone.js", "/assets/%2e%2e/%2e%2e/api/app.py", "/assets/" + "a" * 300, "/v1/none"]
)
def test_what_is_not_there_is_no_page(shared: Backend, path: str) -> None:
    assert httpx2.get(shared.url + path).status_code == 404


def test_nothing_is_posted_to_the_page(shared: Backend) -> None:
    assert shared.http.post("/jobs").status_code == 405
