"""The desk of a chapter, as a test's hands and eyes."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from arboris.workspace.demo.system import System


def open_desk(page: Page, site: System, chapter: int) -> Locator:
    """Open a chapter; returns its text, ready to be typed into."""
    page.goto(f"{site.url}/chapters/{chapter}")
    expect(page.locator("#desk")).not_to_have_attribute("aria-busy", "true")
    return page.get_by_test_id("chapter-text")


def set_text(page: Page, text: str) -> None:
    """Type a text in place of the one that is there."""
    page.get_by_test_id("chapter-text").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(text)


def add_text(page: Page, text: str) -> None:
    """Type at the end of the text, key by key."""
    page.get_by_test_id("chapter-text").focus()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type(text)


def desk_text(page: Page) -> str:
    """The whole text, also what is scrolled out of sight."""
    script = "async () => (await import(document.querySelector('script[type=module]').src"
    script += ".replace('page-chapter', 'desk'))).desk.text"
    return str(page.evaluate(script))


def save(page: Page) -> None:
    page.keyboard.press("ControlOrMeta+s")
