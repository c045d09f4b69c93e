"""How staff find out why analyses failed, and what they do about it: a walk through the admin.

Walked at a small scale by the tests, and with many thousands by ``tests.bench.triage``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.session import sign_in_to_admin
from tests.live import Site
from tests.live_setup import PASSWORD

Shoot = Callable[[str], None]
STAFF = "stranger"
ENDED = re.compile("^(?!none|waits|runs)")


def sign_in(page: Page, site: Site) -> None:
    sign_in_to_admin(page, site.url, STAFF, PASSWORD)


def find_the_cause(page: Page, shoot: Shoot) -> str:
    """From the first page to the largest group; where it is."""
    page.get_by_role("link", name="Error groups").first.click()
    rows = page.get_by_test_id("groups").locator("tbody tr")
    expect(rows.first).to_be_visible()
    shoot("groups")
    rows.first.get_by_role("link").first.click()
    expect(page.get_by_test_id("group")).to_be_visible()
    shoot("cause")
    return page.url


def send_the_canary(page: Page, shoot: Shoot) -> None:
    """And wait for it on the page, which tells by itself."""
    page.get_by_label("Reason").fill("the key is a new one")
    page.get_by_role("button", name="Retry one").click()
    canary = page.get_by_test_id("canary")
    expect(canary).to_have_attribute("data-state", ENDED)
    expect(canary).to_have_attribute("data-state", "ok")
    shoot("canary")


def retry_the_rest(page: Page, shoot: Shoot) -> None:
    page.get_by_test_id("rest").click()
    expect(page.get_by_test_id("cost")).to_be_visible()
    shoot("rest")
    page.get_by_role("button", name="Retry the rest").click()
    expect(page.get_by_test_id("drain")).to_be_visible()


def cancel_all_of(page: Page, site: Site, writer: str, count: int, shoot: Shoot) -> None:
    """All that waits of one writer, by a search of the list and one action."""
    page.goto(f"{site.url}/admin/analysis/pendinganalysis/?status__exact=pending&q={writer}")
    page.locator("#action-toggle").check()
    across = page.locator(".actions .question a")
    if across.is_visible():  # they are more than a page
        across.click()
    page.locator("select[name=action]").select_option("cancel")
    page.locator(".actions button[name=index]").click()
    expect(page.get_by_test_id("plan")).to_contain_text(f"{count}")
    shoot("cancel")
    page.locator("input[name=apply]").click()


def may_only_look(page: Page, site: Site, group: str, task: int) -> None:
    """As somebody of the support team: it is all there, and no button."""
    page.goto(group)
    expect(page.get_by_test_id("canary")).to_be_visible()
    expect(page.get_by_role("button", name="Retry one")).to_have_count(0)
    expect(page.get_by_test_id("rest")).to_have_count(0)
    page.goto(f"{site.url}/admin/analysis/pendinganalysis/{task}/change/")
    expect(page.get_by_test_id("facts")).to_be_visible()
    expect(page.get_by_role("link", name="Cancel the analysis")).to_have_count(0)
    page.goto(f"{site.url}/admin/analysis/pendinganalysis/")
    expect(page.locator("#result_list")).to_be_visible()
    expect(page.locator("select[name=action]")).to_have_count(0)
