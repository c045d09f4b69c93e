"""The binder: a book is put in order by keys and by drag, and nothing of it is lost."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System
from tests.browser.desk import add_text, desk_text, on_desk, open_desk
from tests.browser.session import with_session
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

TITLES = ["序幕", "第一章 雨", "第二章 灯", "第三章 钟"]
MANY = 300


def book(writer: Writer, titles: list[str]) -> tuple[str, list[int]]:
    project = writer.new_project("binding", "zh")
    path = f"/api/projects/{project}/chapters"
    ids = []
    for title in titles:
        body = {"title": title, "content": f"{title}。\n雨停了。", "mode": "basic"}
        ids.append(int(writer.http.post(path, json=body).json()["id"]))
    return project, ids


def titles_of(writer: Writer, project: str) -> list[list[str]]:
    order = writer.get(f"/api/projects/{project}/order")
    names = {chapter["id"]: chapter["title"] for chapter in order["chapters"]}
    return [[names[pk] for pk in volume["chapters"]] for volume in order["volumes"]]


def row(page: Page, title: str) -> Locator:
    return page.get_by_test_id("binder").get_by_role("treeitem", name=title, exact=True)


def tell(page: Page, words: str | re.Pattern[str]) -> None:
    expect(page.get_by_test_id("binder-status")).to_contain_text(words)


def more(page: Page, name: str) -> None:
    page.get_by_test_id("binder-more").click()
    page.get_by_test_id(f"binder-{name}").click()


def has_order(writer: Writer, project: str, expected: list[list[str]]) -> None:
    """The page sends an order a moment after it was made."""
    wait_for(lambda: titles_of(writer, project) == expected, f"the order {expected}")


def test_keys_and_drag_put_a_book_in_order(page: Page, site: System, writer: Writer) -> None:
    project, ids = book(writer, TITLES)
    with_session(page, site)
    open_desk(page, site, ids[1])
    chosen = row(page, "第一章 雨")
    expect(chosen).to_have_attribute("aria-current", "page")
    chosen.focus()
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    expect(chosen).to_be_focused()
    tell(page, "4")
    has_order(writer, project, [["序幕", "第二章 灯", "第三章 钟", "第一章 雨"]])
    page.keyboard.press("Alt+ArrowDown")
    tell(page, "到头")

    row(page, "第三章 钟").drag_to(row(page, "序幕"), target_position={"x": 40, "y": 4})
    has_order(writer, project, [["第三章 钟", "序幕", "第二章 灯", "第一章 雨"]])
    row(page, "第二章 灯").focus()
    more(page, "divide")
    row(page, "新的一卷").focus()
    page.keyboard.press("F2")
    page.keyboard.insert_text("下卷")
    page.keyboard.press("Enter")
    has_order(writer, project, [["第三章 钟", "序幕"], ["第二章 灯", "第一章 雨"]])
    path = f"/api/projects/{project}/order"
    wait_for(
        lambda: [v["title"] for v in writer.get(path)["volumes"]] == ["", "下卷"], "the volume"
    )

    rename_by_keys(page, ids[0])
    assert titles_of(writer, project)[0] == ["第三章 钟", "楔子"]


def rename_by_keys(page: Page, chapter: int) -> None:
    """Left, taken up again after the book was drawn anew, and sent twice."""
    row(page, "序幕").focus()
    page.keyboard.press("F2")
    page.keyboard.insert_text("楔子")
    page.keyboard.press("Escape")
    expect(row(page, "序幕")).to_be_focused()
    on_desk(page, "await desk.reload()")  # as after an analysis: the choice stays
    page.keyboard.press("F2")
    field = page.get_by_test_id("binder").get_by_role("textbox")
    expect(field).to_have_value("序幕")
    page.keyboard.insert_text("楔子")
    page.route(f"**/api/chapters/{chapter}", lambda call: call.abort(), times=1)
    page.keyboard.press("Enter")
    tell(page, "连接")
    expect(field).to_have_value("楔子")
    page.keyboard.press("Enter")
    expect(row(page, "楔子")).to_be_focused()
    tell(page, "楔子")


def test_splitting_joining_and_deleting_lose_nothing(
    page: Page, site: System, writer: Writer
) -> None:
    project, ids = book(writer, TITLES[:2])
    with_session(page, site)
    open_desk(page, site, ids[0])
    add_text(page, "他没有回头。")  # typed, and not saved by hand
    text = desk_text(page)
    page.keyboard.press("ControlOrMeta+Home")
    page.keyboard.press("ArrowDown")
    more(page, "split")
    tell(page, "分成")
    expect(page.get_by_test_id("chapter-text")).to_have_text("序幕。")
    (chapters,) = writer.get(f"/api/projects/{project}/order")["volumes"]
    second = writer.get(f"/api/chapters/{chapters['chapters'][1]}")
    assert second["content"] == "雨停了。他没有回头。"

    split_and_join_odd_letters(page, writer, ids[1])
    page.locator(f'#binder a[href="/chapters/{ids[0]}"]').click()
    expect(page.get_by_test_id("chapter-text")).to_have_text("序幕。")
    more(page, "join")
    tell(page, "合并")
    expect(page.get_by_test_id("chapter-text")).to_contain_text("他没有回头。")
    assert desk_text(page).split() == text.split()
    assert titles_of(writer, project) == [TITLES[:2]]

    delete_and_undo(page, site, ids)
    assert writer.get(f"/api/chapters/{ids[0]}")["notes"] == "灯笼是谁的？"
    delete_and_restore(page, site, ids[0])
    page.get_by_test_id("binder-add").click()
    expect(row(page, "第 2 章")).to_have_attribute("aria-current", "page")
    expect(page.get_by_test_id("chapter-text")).to_have_text("")
    assert titles_of(writer, project) == [["序幕", "", "第一章 雨"]]


def split_and_join_odd_letters(page: Page, writer: Writer, chapter: int) -> None:
    """A letter of two units, and line ends of two."""
    lines = "𠮷。\r\n一。\r\n二。\r\n三。\r\n"
    path = f"/api/chapters/{chapter}"
    writer.http.patch(path, json={"content": f"{lines}雨停了。"}).raise_for_status()
    page.locator(f'#binder a[href="/chapters/{chapter}"]').click()
    expect(page.get_by_test_id("chapter-text")).to_contain_text("𠮷")
    page.get_by_test_id("chapter-text").focus()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.press("Home")
    more(page, "split")
    tell(page, "分成")
    expect(page.get_by_test_id("chapter-text")).to_have_text("𠮷。一。二。三。")
    assert writer.get(path)["content"].strip() == lines.strip()
    more(page, "join")
    tell(page, "合并")


def delete_and_undo(page: Page, site: System, ids: list[int]) -> None:
    """The first of two chapters, with its notes."""
    more(page, "notes")
    page.get_by_test_id("binder-notes-text").fill("灯笼是谁的？")
    page.get_by_test_id("binder-notes-save").click()
    tell(page, "备注")
    row(page, "序幕").focus()
    page.keyboard.press("Delete")
    tell(page, "序幕")
    expect(page).to_have_url(f"{site.url}/chapters/{ids[1]}")
    expect(row(page, "序幕")).to_have_count(0)
    page.get_by_test_id("binder-undo").click()
    expect(row(page, "序幕")).to_be_focused()


def delete_and_restore(page: Page, site: System, chapter: int) -> None:
    """From the trash, by its page."""
    page.keyboard.press("Delete")
    expect(row(page, "序幕")).to_have_count(0)
    page.goto(f"{site.url}/trash")
    page.get_by_test_id("trash").get_by_role("listitem").filter(has_text="序幕").get_by_test_id(
        "trash-restore"
    ).click()
    page.get_by_role("status").get_by_role("link", name=re.compile("序幕")).click()
    expect(page).to_have_url(f"{site.url}/chapters/{chapter}")


def test_a_long_book_is_drawn_where_it_is_looked_at(
    page: Page, site: System, writer: Writer
) -> None:
    project = writer.new_project("long", "zh")
    text = "\n\n".join(f"第{n}章 夜\n\n雨停了，{n}。" for n in range(1, MANY + 1))
    upload = {"file": ("long.txt", text.encode())}
    path = f"/api/projects/{project}/import"
    assert writer.http.post(path, files=upload, data={"mode": "basic"}).is_success
    with_session(page, site)
    page.goto(f"{site.url}/projects/{project}")
    chapters = page.get_by_test_id("chapters").get_by_role("listitem")
    expect(chapters.first).to_be_visible()
    page.keyboard.press("End")
    last_chapter = page.get_by_test_id("chapters").get_by_role("link", name=f"第{MANY}章 夜")
    expect(last_chapter).to_be_visible()
    expect(chapters.last).to_have_attribute("aria-posinset", str(MANY))
    expect(chapters.last).to_have_attribute("aria-setsize", str(MANY))
    last_chapter.focus()
    page.keyboard.press("Shift+Tab")
    before_it = page.get_by_test_id("chapters").get_by_role("link", name=f"第{MANY - 1}章 夜")
    expect(before_it).to_be_focused()
    page.keyboard.press("Home")
    expect(chapters.first.get_by_role("link")).to_have_text("第1章 夜")
    assert chapters.count() < MANY / 4
    expect(before_it).to_be_focused()  # and whoever goes on by keyboard goes on from there
    page.keyboard.press("Tab")
    expect(last_chapter).to_be_focused()

    page.get_by_test_id("binder-box").locator("summary").click()
    rows = page.get_by_test_id("binder").get_by_role("treeitem")
    rows.first.focus()
    page.keyboard.press("End")
    expect(row(page, f"第{MANY}章 夜")).to_be_focused()
    expect(row(page, f"第{MANY}章 夜")).to_have_attribute("aria-setsize", str(MANY))
    assert rows.count() < MANY / 4
    page.keyboard.press("Alt+ArrowUp")
    last = [f"第{MANY}章 夜", f"第{MANY - 1}章 夜"]
    wait_for(lambda: titles_of(writer, project)[0][-2:] == last, "the last two")


def test_a_new_book_is_begun_on_the_desk(page: Page, site: System, writer: Writer) -> None:
    project = writer.new_project("begun", "zh")
    with_session(page, site)
    page.goto(f"{site.url}/projects/{project}")
    page.get_by_test_id("start-writing").click()
    page.wait_for_url("**/chapters/*")
    expect(page.locator("#desk")).not_to_have_attribute("aria-busy", "true")
    expect(row(page, "第 1 章")).to_be_visible()
    page.locator("#chapter-title-field").fill("第一章 雾")
    page.keyboard.press("Enter")
    page.keyboard.insert_text("雾气涌了进来。")
    page.keyboard.press("ControlOrMeta+s")
    expect(row(page, "第一章 雾")).to_have_attribute("aria-current", "page")
    assert titles_of(writer, project) == [["第一章 雾"]]


def test_what_the_server_does_not_get_is_kept_and_sent_again(
    page: Page, site: System, writer: Writer
) -> None:
    project, ids = book(writer, TITLES[:3])
    with_session(page, site)
    open_desk(page, site, ids[0])
    expect(row(page, "第一章 雨")).to_be_visible()
    page.context.set_offline(True)
    row(page, "序幕").focus()
    page.keyboard.press("Alt+ArrowDown")
    alert = page.get_by_test_id("binder-status").get_by_role("alert")
    expect(alert).to_be_visible()
    page.context.set_offline(False)
    has_order(writer, project, [["第一章 雨", "序幕", "第二章 灯"]])
    expect(alert).to_be_hidden()
    page.keyboard.press("Alt+ArrowDown")  # and the next one too
    has_order(writer, project, [["第一章 雨", "第二章 灯", "序幕"]])

    more(page, "notes")
    page.get_by_test_id("binder-notes-text").fill("铃在井里。")
    page.context.set_offline(True)
    page.get_by_test_id("binder-notes-save").click()
    tell(page, "网络")
    page.context.set_offline(False)
    more(page, "notes")
    expect(page.get_by_test_id("binder-notes-text")).to_have_value("铃在井里。")
    page.keyboard.press("Escape")
    more(page, "notes")
    page.get_by_test_id("binder-notes-save").click()
    tell(page, "备注")
    path = f"/api/chapters/{ids[0]}"
    assert writer.get(path)["notes"] == "铃在井里。"

    more(page, "notes")
    page.get_by_test_id("binder-notes-text").fill("铃在钟里。")
    writer.http.patch(path, json={"notes": "灯在井里。"}).raise_for_status()  # elsewhere
    page.get_by_test_id("binder-notes-save").click()
    tell(page, "别处")
    assert writer.get(path)["notes"] == "铃在钟里。\n\n灯在井里。"
