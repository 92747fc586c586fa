"""Why a training failed, the line that shows it, and what to do about it: in words and as a button."""

import re

from playwright.sync_api import Page, expect

from tests.browser.people import Visit
from tests.real.backend import Backend


def failed(backend: Backend, mode: str, **params: object) -> str:
    job = backend.submit(params={"mode": mode, "epochs": 2, **params}, name=f"told to fail by {mode}")
    assert backend.wait_closed(job)["state"] == "FAILED"
    return job


def test_a_full_gpu_is_told_in_words_and_its_remedy_is_a_button(page: Page, shared: Backend) -> None:
    job = failed(shared, "oom", batch_size=16)
    page.goto(f"/jobs/{job}")
    banner = page.get_by_role("region", name="Out of GPU memory")
    expect(banner).to_contain_text("The GPU's memory was too small for this training.")
    expect(banner.get_by_role("region", name="What shows it")).to_contain_text("CUDA out of memory. Tried to allocate")
    banner.get_by_role("button", name="Retry with batch_size 8").click()
    page.wait_for_url(re.compile(f"/jobs/(?!{job})"))
    again = shared.job(page.url.rsplit("/", 1)[-1])
    assert (again["params"]["batch_size"], again["parent_id"]) == (8, job)
    expect(page.get_by_role("link", name=job)).to_be_visible()  # back to where it came from


def test_the_full_log_is_behind_the_banner(page: Page, shared: Backend) -> None:
    job = failed(shared, "crash")
    page.goto(f"/jobs/{job}")
    banner = page.locator("main section").filter(has=page.get_by_role("link", name="Full log"))
    expect(banner).to_contain_text("RuntimeError: the probe was told to crash")
    banner.get_by_role("link", name="Full log").click()
    expect(page).to_have_url(f"{shared.url}/jobs/{job}?tab=log")
    log = page.get_by_role("log")
    expect(log).to_contain_text("probe starts, mode crash")
    expect(log).to_contain_text("RuntimeError: the probe was told to crash")


def test_a_double_click_on_the_remedy_starts_one_job(page: Page, shared: Backend) -> None:
    job = failed(shared, "config")
    before = shared.ask("GET", "/v1/jobs")["total"]
    page.goto(f"/jobs/{job}")
    page.get_by_role("button", name="Retry", exact=True).first.dblclick()
    page.wait_for_url(re.compile(f"/jobs/(?!{job})"))
    assert shared.ask("GET", "/v1/jobs")["total"] == before + 1


def test_a_korean_reads_the_cause_in_korean_with_the_backends_words_behind(visit: Visit, shared: Backend) -> None:
    job = failed(shared, "import")
    page = visit(shared, language="ko").page
    page.goto(f"/jobs/{job}")
    banner = page.locator("main section").filter(has=page.get_by_role("link", name="전체 로그"))
    assert any("가" <= letter <= "힣" for letter in banner.get_by_role("heading").inner_text())
    expect(banner.locator('[lang="en"]')).to_contain_text("a_module_that_is_not_there")


def test_a_list_names_the_reason_and_offers_to_retry(page: Page, shared: Backend) -> None:
    job = failed(shared, "crash", crash_after=0)
    page.goto("/?state=FAILED&search=told+to+fail")
    row = page.locator(f'[data-job="{job}"]')
    expect(row).to_contain_text("The trainer failed")
    row.get_by_role("link", name="Retry told to fail by crash").click()
    expect(page).to_have_url(f"{shared.url}/jobs/{job}")
