"""What a writer types is never lost: during a save, and beside a second tab."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System
from tests.browser.desk import add_text, desk_text, open_desk, save, set_text
from tests.browser.test_writing import PATIENCE_MS, sign_in

pytestmark = pytest.mark.browser

OLD = "雨停了。沈砚秋推开门。"
NEW = "雨又下了。"
TYPED = "他没有回头。"


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


@pytest.fixture(scope="module")
def writer(site: System) -> Iterator[Writer]:
    with closing(site.writer("en")) as writer:
        yield writer


@pytest.fixture
def chapter(page: Page, site: System, writer: Writer) -> int:
    """A new chapter, open on the desk."""
    project = writer.new_project("editing", "zh")
    chapter = int(writer.add_chapter(project, OLD).body["id"])
    sign_in(page, site)
    open_desk(page, site, chapter)
    return chapter


def saved(writer: Writer, chapter: int) -> tuple[int, str, str]:
    body = writer.get(f"/api/chapters/{chapter}")
    return body["version"], body["title"], body["content"]


def test_typing_during_a_save_of_a_chapter_stays(page: Page, chapter: int, writer: Writer) -> None:
    set_text(page, NEW)
    with held_answer(page, f"**/api/chapters/{chapter}"):
        save(page)
        add_text(page, TYPED)
    expect(page.get_by_test_id("saved-state")).to_contain_text("2")
    assert desk_text(page) == NEW + TYPED
    assert saved(writer, chapter) == (2, "", NEW)
    save(page)
    expect(page.get_by_test_id("saved-state")).to_contain_text("3")
    assert saved(writer, chapter) == (3, "", NEW + TYPED)


def test_typing_during_a_save_of_a_new_chapter_stays(
    page: Page, site: System, writer: Writer
) -> None:
    project = writer.new_project("adding", "zh")
    sign_in(page, site)
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
    page: Page, site: System, chapter: int, writer: Writer
) -> None:
    project = writer.get(f"/api/chapters/{chapter}")["project_id"]
    second = int(writer.add_chapter(project, NEW).body["id"])
    open_desk(page, site, chapter)
    page.evaluate("() => { window.sameDocument = true; }")
    add_text(page, TYPED)
    page.locator(f'#binder a[href="/chapters/{second}"]').click()
    expect(page.get_by_test_id("chapter-text")).to_have_text(NEW)
    expect(page).to_have_url(f"{page.url.rsplit('/', 1)[0]}/{second}")
    assert saved(writer, chapter) == (2, "", OLD + TYPED)  # leaving saves
    page.go_back()
    expect(page.get_by_test_id("chapter-text")).to_have_text(OLD + TYPED)
    page.get_by_test_id("chapter-text").focus()
    page.keyboard.press("ControlOrMeta+z")
    expect(page.get_by_test_id("chapter-text")).to_have_text(OLD)
    save(page)
    expect(page.get_by_test_id("saved-state")).to_contain_text("3")
    assert page.evaluate("() => window.sameDocument === true")


@pytest.fixture
def outdated(chapter: int, browser: Browser, site: System, locale: str) -> int:
    """A chapter that the page edits, and that another browser has saved anew meanwhile."""
    context = browser.new_context(locale=locale)
    context.set_default_timeout(PATIENCE_MS)
    other = context.new_page()
    sign_in(other, site)
    open_desk(other, site, chapter)
    set_text(other, NEW)
    other.get_by_test_id("edit-save").click()
    expect(other.get_by_test_id("saved-state")).to_contain_text("2")
    context.close()
    return chapter


def save_into_conflict(page: Page) -> None:
    set_text(page, TYPED)
    save(page)
    expect(page.get_by_test_id("conflict")).to_be_focused(timeout=PATIENCE_MS)
    expect(page.get_by_test_id("conflict-text")).to_have_text(NEW)
    assert desk_text(page) == TYPED


def test_an_older_text_overwrites_nothing(page: Page, outdated: int, writer: Writer) -> None:
    save_into_conflict(page)
    assert saved(writer, outdated) == (2, "", NEW)
    page.locator("#keep-mine").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("conflict")).to_be_hidden()
    expect(page.get_by_test_id("saved-state")).to_contain_text("3")
    assert saved(writer, outdated) == (3, "", TYPED)


def test_the_newest_text_can_be_taken(page: Page, outdated: int, writer: Writer) -> None:
    save_into_conflict(page)
    page.locator("#take-newest").click()
    page.get_by_test_id("discard-no").click()
    assert desk_text(page) == TYPED
    page.locator("#take-newest").click()
    page.get_by_test_id("discard-yes").click()
    expect(page.get_by_test_id("chapter-text")).to_have_text(NEW)
    expect(page.get_by_test_id("conflict")).to_be_hidden()
    assert saved(writer, outdated) == (2, "", NEW)


def test_a_new_title_keeps_the_newest_text(page: Page, outdated: int, writer: Writer) -> None:
    page.get_by_test_id("chapter-title-field").fill("雨夜")
    save(page)
    expect(page.locator("#chapter-name")).to_have_text("雨夜")
    expect(page.get_by_test_id("chapter-text")).to_have_text(NEW)
    assert saved(writer, outdated) == (2, "雨夜", NEW)
