"""Every page in both languages, both themes and on a phone: no word is forgotten, and nobody is kept out of it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import fits, serious, settled
from tests.browser.people import DESK, PHONE, Visitor
from tests.real.backend import Backend

DATASET = "cats-dogs-classes"
# address: what the browser's tab is called in both languages; {0} and {1} are jobs
PAGES = {
    "/": ("Jobs", "작업"),
    "/?search=nothing+is+called+so": ("Jobs", "작업"),
    "/new": ("New job", "새 작업"),
    "/jobs/{0}": ("has failed", "has failed"),
    "/jobs/{1}": ("has learned", "has learned"),
    "/jobs/{1}?tab=log": ("has learned", "has learned"),
    "/jobs/{1}?tab=pictures": ("has learned", "has learned"),
    "/jobs/{1}?tab=configuration": ("has learned", "has learned"),
    "/jobs/{1}?tab=events": ("has learned", "has learned"),
    "/jobs/{1}?tab=system": ("has learned", "has learned"),
    "/jobs/job-20250101-000000-gone": None,
    "/compare": ("Compare", "비교"),
    "/compare?jobs={0},{1}": ("Compare", "비교"),
    "/datasets": ("Datasets", "데이터셋"),
    f"/datasets/{DATASET}": ("Cats and dogs", "Cats and dogs"),
    f"/datasets/{DATASET}?tab=pictures": ("Cats and dogs", "Cats and dogs"),
    f"/datasets/{DATASET}?tab=jobs": ("Cats and dogs", "Cats and dogs"),
    "/try": ("Try it", "추론 테스트"),
    "/services": ("Services", "서비스 상태"),
    "/settings": ("Settings", "설정"),
    "/nothing/is/here": None,
}
# what people read, without what is marked as English, as code, or as somebody's own words
READ = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const place = walk.currentNode.parentElement;
    const text = walk.currentNode.data.trim();
    if (text === '' || place.closest('[lang]')?.lang !== document.documentElement.lang) continue;
    if (place.closest('script, style, code, pre, kbd, [role=log], .font-mono') !== null) continue;
    found.push(text);
  }
  for (const it of document.querySelectorAll('[aria-label], [title], [placeholder]'))
    if (it.closest('[lang]')?.lang === document.documentElement.lang)
      for (const name of ['aria-label', 'title', 'placeholder']) found.push((it.getAttribute(name) ?? '').trim());
  return found;
}"""
SENTENCE = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}")


@pytest.fixture(scope="module")
def jobs(shared: Backend) -> list[str]:
    made = [
        shared.submit("oom", epochs=1, name="has failed"),
        shared.submit("keep", epochs=3, name="has learned", tags=["a-tag"], notes="A note."),
    ]
    for job in made:
        shared.wait_closed(job)
    return made


def own_words(backend: Backend) -> str:
    """All that the API says: names, titles, descriptions, and sentences that are shown as they came."""
    paths = ("/v1/jobs", "/v1/datasets", "/v1/trainers", "/v1/samples", "/v1/status", "/v1/me", "/v1/doctor")
    answers = [backend.http.get(path) for path in paths]
    return "\n".join(strings([one.json() for one in answers if one.is_success]))


def strings(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        inside: list[Any] = list(value.values() if isinstance(value, dict) else value)
        return [text for one in inside for text in strings(one)]
    return [value] if isinstance(value, str) else []


def show(page: Page, address: str) -> None:
    page.goto(address)
    page.evaluate("() => { localStorage.clear(); document.documentElement.dataset.theme = 'light'; }")
    page.reload()
    expect(page.locator("main").or_(page.get_by_role("heading")).first).to_be_visible()
    settled(page)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_in_both_languages_both_themes_and_on_a_phone(
    reader: Visitor, shared: Backend, jobs: list[str], address: str
) -> None:
    page, titles = reader.page, PAGES[address]
    show(page, address.format(*jobs))
    if titles is not None:
        expect(page).to_have_title(re.compile(re.escape(titles[0])))
    assert page.evaluate("() => document.documentElement.lang") == "en"
    english = set(page.evaluate(READ))
    assert not serious(page)
    language = page.get_by_role("button", name="한국어")
    if language.count():  # a page beside the frame has no switch
        page.get_by_role("button", name="Light or dark").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        assert not serious(page)
        language.click()
        expect(page.locator("html")).to_have_attribute("lang", "ko")
        if titles is not None:
            expect(page).to_have_title(re.compile(re.escape(titles[1])))
        known = own_words(shared)
        korean = set(page.evaluate(READ))
        assert any("가" <= letter <= "힣" for text in korean for letter in text)
        same = {text for text in english & korean if SENTENCE.search(text)}
        forgotten = {text for text in same if not all(part in known for part in text.split(" · "))}
        assert not forgotten
    page.set_viewport_size(PHONE)
    fits(page)
    page.set_viewport_size(DESK)
