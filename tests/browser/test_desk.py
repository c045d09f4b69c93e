"""The desk: findings that stay at their words, cards, input methods, the count, the look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System
from tests.browser.desk import add_text, desk_text, on_desk, open_desk, save, set_text
from tests.browser.session import with_session
from tests.browser.test_writing import CHAPTER
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.sqlite_only]

COUNTED = Path(__file__).parents[1] / "novels" / "word_counts.json"
SCENES = COUNTED.with_name("scene_breaks.json")


@pytest.fixture
def chapter(page: Page, site: System, writer: Writer) -> int:
    """An analysed chapter, open on the desk."""
    project = writer.new_project("desk", "zh")
    chapter = int(writer.add_chapter(project, CHAPTER).body["id"])
    url = f"/api/chapters/{chapter}"
    wait_for(lambda: writer.get(url)["analysis"]["status"] == "completed", "the analysis")
    with_session(page, site)
    open_desk(page, site, chapter)
    return chapter


def selected(page: Page) -> str:
    return str(on_desk(page, "desk.text.slice(desk.selection.from, desk.selection.to)"))


def test_findings_stay_at_their_words_and_fade_until_read_again(
    page: Page, chapter: int, writer: Writer
) -> None:
    entries = page.locator("#finding-list button")
    expect(entries.first).to_be_visible()
    found = entries.count()
    quote = writer.get(f"/api/chapters/{chapter}/findings")[0]["quote"]
    entry = page.locator(
        f'#finding-list [data-finding-id="'
        f'{writer.get(f"/api/chapters/{chapter}/findings")[0]["id"]}"]'
    )
    page.get_by_test_id("chapter-text").focus()
    page.keyboard.press("ControlOrMeta+Home")
    page.keyboard.insert_text("雨停了。\n\n")  # before all of them: they move
    entry.click()
    assert selected(page) == quote
    expect(page.locator("#finding-list .faded")).to_have_count(0)

    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    page.keyboard.insert_text("又")  # inside the passage
    expect(entry).to_have_class("faded")
    page.keyboard.press("ControlOrMeta+z")
    set_text(page, "一字不留。" + "雨停了，他没有来。" * 40)
    expect(page.locator("#finding-list .faded")).to_have_count(found)  # none has vanished
    page.keyboard.press("ControlOrMeta+z")
    save(page)
    expect(page.get_by_test_id("saved-state")).to_contain_text("2")
    expect(page.locator("#finding-list .faded")).to_have_count(0)  # read again
    expect(page.locator(".cm-name").first).to_be_visible()


def test_a_name_has_a_card_under_pointer_and_caret(page: Page, chapter: int) -> None:
    name = page.locator(".cm-name").first
    expect(name).to_be_visible()
    name.hover()
    expect(page.locator(".cm-tooltip").get_by_test_id("cast-card")).to_be_visible()
    page.get_by_test_id("chapter-text").focus()
    place = on_desk(page, f"desk.text.indexOf({json.dumps(name.inner_text())})")
    on_desk(page, f"desk.select({place})")
    card = page.locator("#who").get_by_test_id("cast-card")
    expect(card).to_contain_text(name.inner_text())
    page.keyboard.press("F6")
    expect(page.locator("#context :focus")).to_have_count(1)
    page.keyboard.press("Shift+F6")
    expect(page.get_by_test_id("chapter-text")).to_be_focused()


def test_an_input_method_is_not_disturbed(page: Page, chapter: int) -> None:
    set_text(page, "雨停了。")
    keys = page.context.new_cdp_session(page)
    for typed in ("n", "ni", "ni h", "ni hao"):
        keys.send(
            "Input.imeSetComposition",
            {"text": typed, "selectionStart": len(typed), "selectionEnd": len(typed)},
        )
    assert on_desk(page, "desk.isComposing")
    on_desk(page, "desk.saver.save()")  # saves, loads anew, and draws the findings
    on_desk(page, "desk.reload()")
    keys.send("Input.insertText", {"text": "你好"})
    assert desk_text(page) == "雨停了。你好"


def test_counts_and_scene_breaks_are_the_servers(page: Page, chapter: int, writer: Writer) -> None:
    script = """async ([file, name, texts]) => {
      const code = document.querySelector('script[type=module]').src;
      const module = await import(code.replace(/page-chapter[^/]*$/, file));
      return texts.map(module[name]);
    }"""
    for known, file, name in (
        (COUNTED, "words.js", "wordCount"),
        (SCENES, "prose.js", "isSceneBreak"),
    ):
        rows = json.loads(known.read_text(encoding="utf-8"))
        texts = [text for text, _value in rows]
        assert page.evaluate(script, [file, name, texts]) == [value for _text, value in rows]

    add_text(page, "End of it, 3.14")  # counted line by line while it is typed
    page.keyboard.press("Enter")
    page.keyboard.insert_text("两行\n三行 more")
    shown = on_desk(page, "desk.editor.words")
    save(page)
    expect(page.get_by_test_id("saved-state")).to_contain_text("2")
    assert shown == writer.get(f"/api/chapters/{chapter}")["word_count"]


def test_the_look_is_remembered(page: Page, chapter: int, site: System) -> None:
    set_text(page, "# 题\n***\n他说*好*。")
    for look in (".cm-heading", ".cm-scene", ".cm-paragraph em"):
        expect(page.locator(look)).to_have_count(1)
    page.locator("[popovertarget=comfort]").focus()
    page.keyboard.press("Enter")
    page.locator("#comfort-font").select_option("sans")
    page.locator("#comfort-goal").fill("3000")
    expect(page.get_by_test_id("word-count")).to_contain_text("3,000")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Alt+f")
    expect(page.locator("#binder")).to_be_hidden()
    expect(page.get_by_test_id("chapter-text")).to_be_focused()
    page.keyboard.press("Control+Alt+f")
    save(page)
    expect(page.get_by_test_id("saved-state")).to_contain_text("2")
    open_desk(page, site, chapter)
    expect(page.locator("#desk")).to_have_attribute("data-font", "sans")
    expect(page.get_by_test_id("word-count")).to_contain_text("3,000")
