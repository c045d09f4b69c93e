"""The history of a chapter: two versions compared, and one restored with its impact in view."""

from __future__ import annotations

from contextlib import closing

import pytest
from playwright.sync_api import Locator, Page, expect

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System
from tests.browser.desk import open_desk, set_text
from tests.browser.session import with_session
from tests.browser.test_writing import CHAPTER
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

NEW = "她在灯下站了很久，没有说话。"
TYPED = f"{CHAPTER}\n\n夜深了，她还在写。"
FIRST = CHAPTER.split("\n")[0]
SHORT = f"{FIRST.replace('只听钟', '只听风')}\n\n{NEW}{'雾又退了一里。' * 30}"


def analysed(writer: Writer, chapter: int) -> None:
    latest = f"/api/async-analysis/tasks/{chapter}/latest"
    wait_for(lambda: writer.get(latest)["status"] == "completed", "the analysis")


def save(writer: Writer, chapter: int, content: str) -> None:
    writer.http.patch(f"/api/chapters/{chapter}", json={"content": content}).raise_for_status()


def test_the_desk_tells_before_it_is_saved(page: Page, site: System) -> None:
    with closing(site.writer("en")) as writer:
        chapter = int(writer.add_chapter(writer.new_project("ahead", "zh"), CHAPTER).body["id"])
        analysed(writer, chapter)
        with_session(page, site)
        open_desk(page, site, chapter)
        hint, impact = page.get_by_test_id("impact-hint"), page.get_by_test_id("impact")
        set_text(page, SHORT)
        expect(hint).to_be_visible()
        hint.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#impact-title")).to_be_focused()
        expect(impact.locator('[data-part="vanishing"] li').first).to_be_visible()
        assert writer.get(f"/api/chapters/{chapter}")["content"] == CHAPTER
        set_text(page, CHAPTER)
        expect(hint).to_be_hidden()
        expect(impact).to_be_hidden()


EYES = "骆青梅有一双湛蓝的眼睛。骆青梅笑道：“走吧。”" + "雾又退了一里。" * 30
OTHER_EYES = "雨停了。\n\n骆青梅抬起头，褐色的眼睛里没有光。"


def test_a_contradiction_is_shown_beside_the_text(page: Page, site: System) -> None:
    with closing(site.writer("en")) as writer:
        project = writer.new_project("checked", "zh")
        first = int(writer.add_chapter(project, EYES).body["id"])
        analysed(writer, first)
        chapter, third = (
            int(writer.add_chapter(project, text).body["id"]) for text in ("雨停了。", "灯灭了。")
        )
        # What is left becomes a version, and is analysed: it says the same of her eyes.
        type_elsewhere(writer, first, 1, f"{EYES}\n\n临雾城的雨停了。")
        type_elsewhere(writer, third, 1, OTHER_EYES)
        with_session(page, site)
        open_desk(page, site, chapter)
        hint, box = page.get_by_test_id("check-hint"), page.get_by_test_id("checks")
        expect(box).to_be_hidden()
        set_text(page, OTHER_EYES)
        expect(hint).to_be_visible()
        hint.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#checks-title")).to_be_focused()
        expect(box.locator("blockquote")).to_have_text(
            ["骆青梅有一双湛蓝的眼睛。", "骆青梅抬起头，褐色的眼睛里没有光。"]
        )
        box.locator("a").last.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#text .cm-content")).to_be_focused()
        set_text(page, "雨停了。")
        expect(box).to_be_hidden()

        # What is typed and not saved is compared when its chapter is opened, and only there.
        set_text(page, OTHER_EYES)
        expect(hint).to_be_visible()
        page.route(f"**/{first}/check", lambda _call: None)  # its answer never comes
        with page.expect_request(f"**/{first}/check"):
            page.locator(f'#binder a[href="/chapters/{first}"]').click()
        expect(page.get_by_test_id("chapter-text")).to_contain_text("临雾城")
        expect(box).to_be_hidden()
        page.locator(f'#binder a[href="/chapters/{third}"]').click()
        expect(hint).to_be_visible()


def prepared(writer: Writer) -> int:
    """A chapter, shortened to another one, and made long again."""
    project = writer.new_project("versions", "zh")
    chapter = int(writer.add_chapter(project, CHAPTER).body["id"])
    name = writer.http.post(f"/api/chapters/{chapter}/versions", json={"name": "初稿"})
    name.raise_for_status()
    save(writer, chapter, SHORT)
    save(writer, chapter, CHAPTER)
    analysed(writer, chapter)
    return chapter


def type_elsewhere(writer: Writer, chapter: int, version: int, text: str = TYPED) -> None:
    body = {"content": text, "base_version": version, "client": "another page", "seq": 1}
    writer.http.put(f"/api/chapters/{chapter}/working", json=body).raise_for_status()


def test_compared_and_restored_by_keyboard(page: Page, site: System) -> None:
    with closing(site.writer("en")) as writer:
        chapter = prepared(writer)
        with_session(page, site)
        open_desk(page, site, chapter)
        page.get_by_test_id("versions-link").click()

        rows = page.get_by_test_id("versions").locator("tbody tr")
        compare(page, rows)
        type_elsewhere(writer, chapter, 3)
        see_what_restoring_does(page, rows, chapter)
        restore_at_the_second_try(page, rows)
        newest = writer.get(f"/api/chapters/{chapter}")
        assert (newest["version"], newest["content"]) == (5, SHORT)
        assert writer.get(f"/api/chapters/{chapter}/versions/4")["content"] == TYPED
        compared = page.get_by_test_id("compared")
        expect(compared.locator("del").filter(has_text="夜深了")).to_be_visible()  # from 4 to 5
        rows.nth(1).locator("[name=to]").check()
        rows.nth(2).locator("[name=from]").check()  # from 3 to 4: one paragraph more
        expect(compared.locator(".change")).to_have_count(1)


def compare(page: Page, rows: Locator) -> None:
    """Two versions that are chosen, in one text and side by side."""
    compared = page.get_by_test_id("compared")
    expect(rows).to_have_count(3)
    expect(rows.last).to_contain_text("初稿")
    expect(compared.locator("del")).to_contain_text([NEW])  # from 2, which is short, to 3
    rows.nth(1).locator("[name=to]").focus()
    page.keyboard.press("Space")
    expect(page.locator("#comparison-sums")).to_have_text("两版正文相同。")
    rows.last.locator("[name=from]").focus()
    page.keyboard.press("Space")
    expect(compared.locator("ins").filter(has_text=NEW)).to_be_visible()
    expect(compared.locator("p.change").first.locator("del")).to_have_text("钟")
    expect(compared.locator("p.change").first.locator("ins")).to_have_text("风")
    page.locator("[name=layout]:checked").focus()
    page.keyboard.press("ArrowRight")
    sides = compared.locator("tr.change").first.locator("td")
    expect(sides.first.locator("del")).to_have_text("钟")
    expect(sides.last.locator("ins")).to_have_text("风")
    page.locator("#next-change").focus()
    page.keyboard.press("Enter")
    expect(compared.locator("tr.change").first).to_be_focused()


def see_what_restoring_does(page: Page, rows: Locator, chapter: int) -> None:
    """The dialog says it, and is left: nothing is restored."""
    rows.nth(1).get_by_test_id("restore").focus()
    page.keyboard.press("Enter")
    impact = page.get_by_test_id("impact")
    expect(impact.locator('[data-part="vanishing"] li').first).to_be_visible()
    link = impact.locator("a").first
    assert (link.get_attribute("href") or "").startswith(f"/chapters/{chapter}#quote=")
    expect(page.locator("#restore-typed")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("restore-dialog")).to_be_hidden()
    expect(rows).to_have_count(3)


def restore_at_the_second_try(page: Page, rows: Locator) -> None:
    """The first one does not reach the server."""
    rows.nth(1).get_by_test_id("restore").click()
    expect(page.get_by_test_id("restore-yes")).to_be_enabled()
    page.get_by_test_id("restore-yes").focus()
    page.route("**/restore", lambda call: call.abort(), times=1)
    page.keyboard.press("Enter")
    expect(page.locator("#restore-problem")).to_be_visible()
    expect(page.get_by_test_id("restore-yes")).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(5)
    expect(page.locator("#versions-status")).to_contain_text("5")
