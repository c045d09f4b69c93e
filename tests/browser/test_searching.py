"""Finding and replacing: in the chapter, over the novel, and from anywhere by Ctrl+K."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System
from tests.browser.desk import desk_text, open_desk
from tests.browser.session import with_session

pytestmark = pytest.mark.browser

RAIN = "雨停了。沈砚秋推开门。\n\n没有人应。𠮷ＡＤＡ走了。"
ROAD = "ada 与沈砚秋同行，遇见 Ada。"
SELECTED = "() => getSelection().toString()"


@pytest.fixture
def novel(page: Page, site: System, writer: Writer) -> tuple[str, list[int]]:
    """A novel of three chapters; the page is signed in."""
    project = writer.new_project("searching", "zh")
    texts = (("雨夜", RAIN), ("远行", ROAD), ("归来", ROAD))
    chapters = [
        int(
            writer.http.post(
                f"/api/projects/{project}/chapters", json={"title": title, "content": text}
            ).json()["id"]
        )
        for title, text in texts
    ]
    with_session(page, site)
    return project, chapters


def content(writer: Writer, chapter: int) -> str:
    return str(writer.get(f"/api/chapters/{chapter}")["content"])


def test_the_palette_goes_to_a_passage_by_keyboard(
    page: Page, site: System, novel: tuple[str, list[int]]
) -> None:
    project, (rain, road, _) = novel
    page.goto(f"{site.url}/projects/{project}")
    field, options = (
        page.get_by_test_id("palette-field"),
        page.locator("#palette-list [role=option]"),
    )
    page.get_by_test_id("palette-open").focus()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    field.press_sequentially("ada")  # stands after a letter of two units
    expect(options).to_have_count(6)  # five passages and the way to the search
    chosen = page.locator('[role="option"][aria-selected="true"]')
    expect(chosen).to_have_count(1)
    first = options.first.get_attribute("id")
    expect(field).to_have_attribute("aria-activedescendant", str(first))
    page.keyboard.press("ArrowUp")  # round the corner
    expect(chosen).to_contain_text("ada")
    expect(options.last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/chapters/{rain}#at=\d+-3$"))
    expect(page.locator("#desk")).not_to_have_attribute("aria-busy", "true")
    page.wait_for_function(f"() => ({SELECTED})() === 'ＡＤＡ'")

    page.keyboard.press("Control+k")  # from the text, and to another chapter without a reload
    page.evaluate("() => { window.sameDocument = true; }")
    field.press_sequentially("远行")
    expect(options.first).to_contain_text("远行")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("chapter-title-field")).to_have_value("远行")
    expect(page).to_have_url(f"{site.url}/chapters/{road}")
    assert page.evaluate("() => window.sameDocument")

    page.keyboard.press("Control+k")
    expect(field).to_have_value("")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("chapter-text")).to_be_focused()


def test_the_panel_replaces_in_the_chapter(
    page: Page, site: System, novel: tuple[str, list[int]]
) -> None:
    _, (_, road, _) = novel
    text = open_desk(page, site, road)
    page.locator("#context").focus()
    page.keyboard.press("Control+f")  # from wherever on the desk
    expect(page.locator('.cm-search input[name="search"]')).to_be_focused()
    page.keyboard.type("ada")
    page.keyboard.press("Control+h")
    expect(page.locator('.cm-search input[name="replace"]')).to_be_focused()
    page.keyboard.type("Eve")
    page.get_by_role("button", name="全部替换").click()
    expect(text).to_contain_text("Eve 与沈砚秋同行，遇见 Eve。")
    page.keyboard.press("Escape")
    page.keyboard.press("ControlOrMeta+z")
    expect(text).to_contain_text(ROAD)
    assert desk_text(page) == ROAD


def lose_answer(route: Route) -> None:
    route.fetch()
    route.abort()


def test_the_novel_is_searched_and_replaced_after_a_look_and_taken_back(
    page: Page, site: System, novel: tuple[str, list[int]], writer: Writer
) -> None:
    _, (rain, road, back) = novel
    open_desk(page, site, rain)
    page.keyboard.press("Control+Shift+f")
    expect(page.get_by_test_id("search-submit")).to_be_enabled()  # the page's script listens
    page.get_by_test_id("search-q").fill("ada")
    page.keyboard.press("Enter")
    hits = page.locator(".hits li")
    expect(hits).to_have_count(5)
    expect(page.get_by_test_id("search-status")).to_contain_text("5")
    expect(page).to_have_url(re.compile(r"search\?q=ada$"))

    page.get_by_test_id("search-with").fill("Eve")
    page.get_by_test_id("replace-preview").click()
    boxes = page.locator('[name="chapter"]')
    expect(boxes).to_have_count(3)
    expect(page.locator("ins")).to_have_count(5)
    assert [content(writer, one) for one in (rain, road, back)] == [RAIN, ROAD, ROAD]
    boxes.nth(0).uncheck()
    # Somebody writes on meanwhile: that chapter is told, and left alone.
    typed = {"content": "雪。", "base_version": 1, "client": "elsewhere", "seq": 1}
    writer.http.put(f"/api/chapters/{back}/working", json=typed).raise_for_status()
    page.route("**/replace", lose_answer, times=1)  # and it is asked for again
    page.get_by_test_id("replace-submit").click()
    undo = page.get_by_test_id("replace-undo")
    expect(undo).to_be_focused()
    expect(hits).to_have_text([re.compile("已替换"), re.compile("请先保存")])
    assert [content(writer, one) for one in (rain, back)] == [RAIN, ROAD]
    assert content(writer, road) == "Eve 与沈砚秋同行，遇见 Eve。"

    page.route("**/restore", lambda call: call.abort(), times=1)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("search-status")).to_contain_text("连接")
    expect(undo).to_be_focused()
    page.keyboard.press("Enter")
    expect(undo).to_be_hidden()
    expect(page.get_by_test_id("search-q")).to_be_focused()
    assert content(writer, road) == ROAD

    # What was written after a replacement is not taken back with it.
    page.get_by_test_id("replace-preview").click()
    boxes.nth(0).uncheck()
    page.get_by_test_id("replace-submit").click()
    expect(undo).to_be_focused()
    writer.http.patch(f"/api/chapters/{road}", json={"content": "又改了。"}).raise_for_status()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("search-status")).to_contain_text("有 1 章")
    assert content(writer, road) == "又改了。"
