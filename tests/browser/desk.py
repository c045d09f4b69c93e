"""The desk of a chapter, as a test's hands and eyes."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System

OLD, NEW, TYPED = "雨停了。沈砚秋推开门。", "雨又下了。", "他没有回头。"


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


# A module of the page itself, whatever name its file is served under.
MODULE = """async (name) => {
  const { src } = document.querySelector('script[type=module]');
  const code = await (await fetch(src)).text();
  const [, path] = code.match(new RegExp(`['"](\\./${name}(?:[.][^'"]*)?[.]js)['"]`));
  return await import(new URL(path, src));
}"""


def on_desk(page: Page, expression: str) -> Any:
    """Evaluate what is said of ``desk``."""
    script = f"const {{ desk }} = await ({MODULE})('desk'); return {expression};"
    return page.evaluate(f"async () => {{ {script} }}")


def desk_text(page: Page) -> str:
    """The whole text, also what is scrolled out of sight."""
    return str(on_desk(page, "desk.text"))


def save(page: Page) -> None:
    page.keyboard.press("ControlOrMeta+s")


def state(page: Page, wanted: str) -> None:
    """Wait until the line of the desk says so."""
    expect(page.get_by_test_id("saved-state")).to_have_attribute("data-state", wanted)


def working(writer: Writer, chapter: int) -> str:
    """The text that the server has of the working copy."""
    return str(writer.get(f"/api/chapters/{chapter}/working")["content"])


def saved(writer: Writer, chapter: int) -> tuple[int, str, str]:
    """The newest version's number, title and text."""
    body = writer.get(f"/api/chapters/{chapter}")
    return body["version"], body["title"], body["content"]
