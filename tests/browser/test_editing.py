"""What a writer types is never lost: during a save, and beside a second tab."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System
from tests.browser.desk import (
    NEW,
    OLD,
    TYPED,
    add_text,
    desk_text,
    open_desk,
    save,
    saved,
    set_text,
    state,
    working,
)
from tests.browser.session import with_session
from tests.browser.test_writing import PATIENCE_MS
from tests.waiting import wait_for

pytestmark = pytest.mark.browser


@contextmanager
def held_answer(page: Page, url: str) -> Iterator[None]:
    """What happens inside happens before the server's answer to the next call arrives."""
    calls: list[Route] = []
    page.route(url, lambda call: calls.append(call), times=1)
    yield
    while not calls:
        page.wait_for_timeout(10)
    answer = calls[0].fetch(timeout=PATIENCE_MS)
    calls[0].fulfill(response=answer)


def test_a_pause_saves_and_a_key_makes_a_version(page: Page, chapter: int, writer: Writer) -> None:
    set_text(page, NEW)
    state(page, "saved")
    assert working(writer, chapter) == NEW
    assert saved(writer, chapter) == (1, "", OLD)
    with held_answer(page, f"**/api/chapters/{chapter}/versions"):
        save(page)
        add_text(page, TYPED)  # during the save
    expect(page.locator("#chapter-version")).to_contain_text("2")
    assert saved(writer, chapter) == (2, "", NEW)
    state(page, "saved")
    assert working(writer, chapter) == NEW + TYPED
    page.get_by_test_id("name-version").click()
    page.keyboard.type("定稿")
    page.keyboard.press("Enter")
    state(page, "version")
    assert saved(writer, chapter) == (3, "", NEW + TYPED)
    newest = writer.get(f"/api/chapters/{chapter}/versions")[0]
    assert (newest["number"], newest["name"]) == (3, "定稿")
    assert desk_text(page) == NEW + TYPED


@pytest.mark.own_profile
def test_a_long_pause_makes_a_version(
    page: Page, site: System, new_chapter: int, writer: Writer
) -> None:
    page.clock.install()
    open_desk(page, site, new_chapter)
    set_text(page, NEW)
    page.clock.run_for(3000)
    state(page, "saved")
    assert saved(writer, new_chapter)[0] == 1
    page.clock.fast_forward("06:00")
    state(page, "version")
    assert saved(writer, new_chapter) == (2, "", NEW)


def test_typing_during_a_save_of_a_new_chapter_stays(
    page: Page, site: System, writer: Writer
) -> None:
    project = writer.new_project("adding", "zh")
    with_session(page, site)
    page.goto(f"{site.url}/projects/{project}")
    title, content = page.get_by_test_id("chapter-title"), page.get_by_test_id("chapter-content")
    title.fill("夜")
    content.fill(OLD)
    with held_answer(page, f"**/api/projects/{project}/chapters"):
        page.get_by_test_id("chapter-submit").click()
        content.press_sequentially(TYPED)
    expect(page.locator("[data-chapter-id]")).to_have_count(1)
    expect(content).to_have_value(OLD + TYPED)
    expect(title).to_have_value("")
    page.get_by_test_id("chapter-submit").click()
    expect(page.locator("[data-chapter-id]")).to_have_count(2)
    expect(content).to_have_value("")


def test_chapters_change_in_one_page_and_keep_their_undo(
    page: Page, site: System, project: str, new_chapter: int, writer: Writer
) -> None:
    second = int(writer.add_chapter(project, NEW).body["id"])
    open_desk(page, site, new_chapter)
    page.evaluate("() => { window.sameDocument = true; }")
    add_text(page, TYPED)
    page.locator(f'#binder a[href="/chapters/{second}"]').click()
    expect(page.get_by_test_id("chapter-text")).to_have_text(NEW)
    expect(page).to_have_url(f"{page.url.rsplit('/', 1)[0]}/{second}")
    written = (2, "", OLD + TYPED)
    wait_for(lambda: saved(writer, new_chapter) == written, "the version that leaving makes")
    page.go_back()
    expect(page.get_by_test_id("chapter-text")).to_have_text(OLD + TYPED)
    page.get_by_test_id("chapter-text").focus()
    page.keyboard.press("ControlOrMeta+z")
    expect(page.get_by_test_id("chapter-text")).to_have_text(OLD)
    save(page)
    expect(page.locator("#chapter-version")).to_contain_text("3")
    assert page.evaluate("() => window.sameDocument === true")


@pytest.fixture
def other(browser: Browser, site: System, new_chapter: int, locale: str) -> Iterator[Page]:
    """The same chapter, open in another browser."""
    context = browser.new_context(locale=locale)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    with_session(page, site)
    open_desk(page, site, new_chapter)
    yield page
    context.close()


LINES = "一。\n二。\n三。\n四。\n五。\n六。"


def test_two_browsers_overwrite_nothing(
    page: Page, other: Page, site: System, new_chapter: int, writer: Writer
) -> None:
    set_text(other, LINES)
    save(other)
    state(other, "version")
    open_desk(page, site, new_chapter)
    set_text(other, LINES.replace("二", "乙").replace("四", "丁"))
    state(other, "saved")
    set_text(page, LINES.replace("二", "贰").replace("六", "陆"))
    state(page, "conflict")  # nobody is interrupted: it is said, and typing goes on
    add_text(page, TYPED)
    page.get_by_test_id("saved-action").click()
    expect(page.get_by_test_id("conflict")).to_be_focused()
    expect(page.get_by_test_id("conflict-mine")).to_have_text(["贰。", "四。", "陆。" + TYPED])
    expect(page.get_by_test_id("conflict-theirs")).to_have_text(["乙。", "丁。", "六。"])
    merge = page.get_by_test_id("conflict-merge")
    expect(merge).to_be_disabled()  # at the first place both have written
    expect(page.get_by_test_id("conflict-open")).to_contain_text("1")
    page.get_by_test_id("take-both").first.focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("conflict-result").last.fill("陆。")
    merge.click()
    state(page, "saved")
    merged = "一。\n贰。\n乙。\n三。\n丁。\n五。\n陆。"
    assert desk_text(page) == working(writer, new_chapter) == merged
    # The other browser is told when it goes on, and may take all of the newest text.
    add_text(other, "完")
    save(other)
    expect(other.get_by_test_id("conflict")).to_be_focused()
    other.get_by_test_id("conflict-all-theirs").click()
    other.get_by_test_id("conflict-merge").click()
    expect(other.get_by_test_id("conflict")).to_be_hidden()
    state(other, "version")  # which she had asked for
    assert desk_text(other) == working(writer, new_chapter) == merged


def test_a_new_title_keeps_the_newest_text(
    page: Page, other: Page, chapter: int, writer: Writer
) -> None:
    set_text(other, NEW)
    save(other)
    state(other, "version")
    page.get_by_test_id("chapter-title-field").fill("雨夜")
    save(page)
    expect(page.locator("#chapter-name")).to_have_text("雨夜")
    expect(page.get_by_test_id("chapter-text")).to_have_text(NEW)
    assert saved(writer, chapter) == (2, "雨夜", NEW)


def test_the_work_goes_on_in_another_browser(
    page: Page, other: Page, site: System, new_chapter: int, writer: Writer
) -> None:
    set_text(other, NEW)
    state(other, "saved")
    assert open_desk(page, site, new_chapter).inner_text() == NEW
    add_text(page, TYPED)
    save(page)
    state(page, "version")
    assert saved(writer, new_chapter) == (2, "", NEW + TYPED)
