"""The desk without a mouse: from the binder to the text, its findings, its versions and back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System
from tests.browser.desk import NEW, TYPED, desk_text, open_desk, save, saved, state
from tests.browser.test_versions import analysed
from tests.browser.test_writing import CHAPTER

pytestmark = [pytest.mark.browser, pytest.mark.sqlite_only]

FARTHEST = 80  # steps from one end of the page to the other


def reach(page: Page, selector: str, key: str = "Tab") -> None:
    """Go on by one key until the focus is on what the selector names."""
    for _ in range(FARTHEST):
        page.keyboard.press(key)
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"{selector} is not reached by {key}")


def test_a_walk_through_the_desk(page: Page, site: System, project: str, writer: Writer) -> None:
    path = f"/api/projects/{project}/chapters"
    rain, lamp = (
        int(writer.http.post(path, json={"title": title, "content": text}).json()["id"])
        for title, text in (("雨夜", CHAPTER), ("灯", NEW))
    )
    analysed(writer, rain)
    text = open_desk(page, site, lamp)

    # From the binder to another chapter, and into its text.
    page.keyboard.press("F6")
    expect(text).to_be_focused()
    page.keyboard.press("Shift+F6")
    binder = page.get_by_test_id("binder")
    expect(binder.locator('[aria-current="page"]')).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("chapter-title-field")).to_have_value("雨夜")
    page.keyboard.press("F6")
    expect(text).to_be_focused()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type(TYPED)

    # A finding is shown, and the caret stands at its passage.
    page.keyboard.press("F6")
    reach(page, "#finding-list button")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("finding-detail")).to_be_visible()
    expect(text).to_be_focused()

    # Saved, compared with the version before, and back.
    save(page)
    state(page, "version")
    assert saved(writer, rain)[:2] == (2, "雨夜")
    page.keyboard.press("Escape")
    reach(page, '[data-testid="versions-link"]', "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/chapters/{rain}/versions$"))
    expect(page.locator("ins")).to_have_text(TYPED)
    reach(page, f'a[href="/chapters/{rain}"]')
    page.keyboard.press("Enter")
    expect(page.locator("#desk")).not_to_have_attribute("aria-busy", "true")

    # By the palette to the other chapter, which is written on and saved.
    page.keyboard.press("Control+k")
    page.keyboard.type("灯")
    options = page.get_by_test_id("palette-list").get_by_role("option")
    expect(options.first).to_have_text("灯")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("chapter-title-field")).to_have_value("灯")
    expect(text).to_be_focused()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type(TYPED)
    save(page)
    state(page, "version")
    assert saved(writer, lamp) == (2, "灯", NEW + TYPED) and desk_text(page) == NEW + TYPED
