"""The admin's first page: live figures, charts with a table, and the banner of what is paused."""

from __future__ import annotations

from contextlib import closing
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System
from tests.browser.session import sign_in_to_admin
from tests.browser.test_versions import analysed
from tests.browser.test_writing import CHAPTER

pytestmark = pytest.mark.browser
OURS = {"include": [["#overview"], [".paused-banner"]]}
MORE_THAN_A_POLL = 6_000  # ms
HIDE = """(hidden) => {
    Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
}"""


def completed(page: Page) -> Locator:
    return page.locator('[data-cell="0-1h"]')


def problems(page: Page) -> list[str]:
    found = Axe().run(page, context=OURS).response
    assert found["passes"]
    return [
        f"{rule['id']}: {node['target']}" for rule in found["violations"] for node in rule["nodes"]
    ]


def set_paused(page: Page, paused: bool) -> None:
    page.get_by_role("checkbox", name="Paused").set_checked(paused)
    page.locator("[name=paused_reason]").fill("the disk is full")
    page.locator("[name=_save]").click()


@pytest.mark.parametrize("locale", ["en-US"], indirect=True)
@pytest.mark.own_profile
def test_the_overview_is_live_and_stops_with_the_page(page: Page, site: System) -> None:
    page.clock.install()
    sign_in_to_admin(page, site.url, "staff", site.passwords["staff"])
    expect(page.locator("#overview-levels svg")).to_be_visible()
    before = completed(page).inner_text()
    completed(page).get_by_role("link").focus()
    with closing(site.writer("en")) as writer:
        a_chapter_more(writer)
    page.clock.fast_forward(MORE_THAN_A_POLL)
    expect(completed(page)).not_to_have_text(before)
    expect(completed(page).get_by_role("link")).to_be_focused()  # it was not drawn anew

    page.evaluate(HIDE, True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.fast_forward(20 * MORE_THAN_A_POLL)
    with page.expect_response("**/admin/overview?**"):
        page.evaluate(HIDE, False)
    assert len(asked) == 1

    completed(page).get_by_role("link").click()
    expect(page.locator("#result_list tbody tr")).not_to_have_count(0)
    page.go_back()
    page.context.clear_cookies()
    page.clock.fast_forward(MORE_THAN_A_POLL)
    expect(page.locator("#overview-state")).to_have_text(
        "These figures are no longer kept up to date. Load the page again."
    )


def a_chapter_more(writer: Writer) -> None:
    project = writer.new_project("盐灯", "zh")
    analysed(writer, int(writer.add_chapter(project, CHAPTER).body["id"]))


@pytest.mark.parametrize("locale", ["en-US"], indirect=True)
def test_what_is_paused_is_told_and_resumed(page: Page, site: System) -> None:
    sign_in_to_admin(page, site.url, "staff", site.passwords["staff"])
    page.goto(f"{site.url}/admin/analysis/queuecontrol/1/change/")
    set_paused(page, True)
    try:
        schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for scheme, width in zip(schemes, (1280, 390), strict=True):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 844})
            page.goto(f"{site.url}/admin/?window=24h")
            expect(page.locator("#overview-ends svg")).to_be_visible()
            page.get_by_text("The charts as a table").first.click()
            assert problems(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        banner = page.get_by_role("region", name="Paused")
        expect(banner).to_contain_text("The whole queue is paused. Why: the disk is full.")
        banner.get_by_role("link").press("Enter")
    finally:
        page.goto(f"{site.url}/admin/analysis/queuecontrol/1/change/")
        set_paused(page, False)
    expect(page.locator(".paused-banner")).to_have_count(0)
