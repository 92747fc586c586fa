"""Signing in and out."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.people import Visitor
from tests.real.backend import Backend


def test_a_link_signs_in_once_and_leaves_no_trace_in_the_address(
    visit: Callable[..., Visitor], shared: Backend
) -> None:
    link = shared.ask("POST", "/v1/auth/links")["url"]
    first = visit(shared, link=False)
    first.page.goto(link)
    expect(first.page.get_by_role("navigation")).to_be_visible()
    expect(first.page).to_have_url(f"{shared.url}/")
    second = visit(shared, link=False)
    second.page.goto(link)
    expect(second.page.get_by_role("alert")).to_contain_text("used already")


def test_an_address_waits_behind_the_sign_in(visit: Callable[..., Visitor], shared: Backend) -> None:
    person = shared.ask("POST", "/v1/users", json={"name": "minji", "password": "a long password"})
    shared.ask("PUT", "/v1/projects/default/members/minji", json={"role": "viewer"})
    visitor = visit(shared, link=False)
    visitor.page.goto("/services")
    expect(visitor.page).to_have_url(f"{shared.url}/sign-in?to=%2Fservices")
    visitor.page.get_by_label("Name").fill(person["name"])
    visitor.page.get_by_label("Password").fill("a wrong password")
    visitor.page.get_by_role("button", name="Sign in").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text("wrong")
    visitor.page.get_by_label("Password").fill("a long password")
    visitor.page.get_by_role("button", name="Sign in").click()
    expect(visitor.page.get_by_role("heading", name="Services")).to_be_visible()
    visitor.page.get_by_role("link", name="Settings").click()
    visitor.page.get_by_role("button", name="Sign out").click()
    expect(visitor.page.get_by_role("button", name="Sign in")).to_be_visible()
    visitor.page.goto("/")
    expect(visitor.page.get_by_role("button", name="Sign in")).to_be_visible()
