"""A writer's unlucky days: what was typed is not lost, and comes into nobody else's hands."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocket, expect

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System
from tests.browser.desk import (
    NEW,
    OLD,
    TYPED,
    add_text,
    desk_text,
    on_desk,
    open_desk,
    save,
    saved,
    set_text,
    state,
    working,
)
from tests.browser.test_binder import row, tell
from tests.browser.test_editing import held_answer
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

SECOND = "灯灭了。"
NO_DATABASE = "IDBFactory.prototype.open = () => { throw new Error('blocked'); };"
NO_ROOM = """IDBObjectStore.prototype.put = () => {
  throw new DOMException('full', 'QuotaExceededError');
};"""


@pytest.fixture
def new_chapters(project: str, writer: Writer) -> list[int]:
    """Two chapters, not open; the page is signed in, and blank."""
    return [int(writer.add_chapter(project, text).body["id"]) for text in (OLD, SECOND)]


@pytest.fixture
def chapters(page: Page, site: System, new_chapters: list[int]) -> list[int]:
    """Two chapters, of which the first is open on the desk."""
    open_desk(page, site, new_chapters[0])
    return new_chapters


# As a page does that the browser has kept beside: its socket is opened anew.
COME_BACK = """() => {
  dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
  dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
}"""


def sockets_of(page: Page) -> tuple[list[object], list[WebSocket]]:
    """What is told to the page's sockets that are opened from now on, and those that are closed."""
    told: list[object] = []
    closed: list[WebSocket] = []

    def on_socket(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: told.append(frame))
        socket.on("close", lambda one: closed.append(one))

    page.on("websocket", on_socket)
    return told, closed


def click(page: Page, chapter: int) -> None:
    page.locator(f'#binder a[href="/chapters/{chapter}"]').click()


def test_typing_goes_on_until_the_next_chapter_is_there(
    page: Page, chapters: list[int], writer: Writer
) -> None:
    first, second = chapters
    page.route(f"**/api/chapters/{second}", lambda call: call.abort(), times=1)
    click(page, second)
    expect(page.locator("#open-failed")).to_be_visible()
    assert page.url.endswith(f"/{first}")
    add_text(page, NEW)
    state(page, "saved")
    assert working(writer, first) == OLD + NEW
    with held_answer(page, f"**/api/chapters/{second}"):
        page.locator("#open-failed").get_by_role("button").click()
        add_text(page, TYPED)
    expect(page.get_by_test_id("chapter-text")).to_have_text(SECOND)
    expect(page.locator("#open-failed")).to_have_count(0)
    wait_for(lambda: saved(writer, first)[2] == OLD + NEW + TYPED, "the version of all of it")


def test_a_new_name_is_not_taken_back(
    page: Page, chapters: list[int], project: str, writer: Writer
) -> None:
    first, _ = chapters
    add_text(page, NEW)
    row(page, "第 1 章").click()
    page.keyboard.press("F2")
    page.keyboard.insert_text("雨夜")
    page.keyboard.press("Enter")
    tell(page, "雨夜")
    expect(page.get_by_test_id("chapter-title-field")).to_have_value("雨夜")
    state(page, "saved")
    writer.http.patch(f"/api/chapters/{first}", json={"title": "夜雨"}).raise_for_status()
    save(page)
    state(page, "version")
    expect(page.get_by_test_id("chapter-title-field")).to_have_value("夜雨")
    add_text(page, TYPED)
    save(page)
    expect(page.locator("#chapter-version")).to_contain_text("3")
    assert saved(writer, first) == (3, "夜雨", OLD + NEW + TYPED)


def test_a_text_that_is_refused_stays_and_keeps_back_no_other(
    page: Page, site: System, chapters: list[int], project: str, writer: Writer
) -> None:
    first, second = chapters
    set_text(page, NEW)
    on_desk(page, "desk.edit([{ from: 0, to: 0, insert: '\\u0001' }])")  # pasted from elsewhere
    state(page, "refused")
    click(page, second)
    expect(page.get_by_test_id("chapter-text")).to_have_text(SECOND)
    add_text(page, TYPED)
    page.goto(f"{site.url}/projects/{project}")
    wait_for(lambda: saved(writer, second)[2] == SECOND + TYPED, "the text that is taken")
    page.get_by_test_id("kept-texts").get_by_role("link").click()
    state(page, "refused")
    assert desk_text(page) == "\u0001" + NEW
    set_text(page, NEW)
    state(page, "saved")
    assert working(writer, first) == NEW


def test_what_is_typed_in_a_chapter_deleted_elsewhere_is_there_when_it_comes_back(
    page: Page, site: System, chapters: list[int], project: str, writer: Writer
) -> None:
    first, _ = chapters
    writer.http.delete(f"/api/chapters/{first}").raise_for_status()
    set_text(page, NEW)
    state(page, "gone")
    page.goto(f"{site.url}/projects/{project}")
    kept = page.get_by_test_id("kept-texts")
    expect(kept).to_contain_text("“无标题”")
    expect(kept.locator("textarea")).to_have_value(NEW)
    writer.http.post(f"/api/trash/chapter/{first}/restore").raise_for_status()
    open_desk(page, site, first)
    wait_for(lambda: saved(writer, first)[2] == NEW, "the version that leaving was to make")
    expect(page.get_by_test_id("chapter-text")).to_have_text(NEW)


@pytest.mark.own_profile
def test_a_long_text_is_given_time_on_a_slow_line(
    page: Page, site: System, new_chapters: list[int], writer: Writer
) -> None:
    text = "雨" * 200_000  # 600 kB
    sent: list[Route] = []
    lost: list[str] = []

    def hold(call: Route) -> None:
        if call.request.method == "PUT" and not sent:
            sent.append(call)
        else:
            call.continue_()

    page.clock.install()
    open_desk(page, site, new_chapters[0])
    page.route("**/working", hold)
    page.on("requestfailed", lambda request: lost.append(request.url))
    set_text(page, text)
    while not sent:
        page.wait_for_timeout(10)
    page.clock.fast_forward(60_000)
    sent[0].continue_()
    state(page, "saved")
    assert working(writer, new_chapters[0]) == text
    assert [url for url in lost if url.endswith("/working")] == []


def test_a_browser_that_keeps_nothing_hands_all_to_the_server(
    page: Page, site: System, new_chapters: list[int], writer: Writer
) -> None:
    first, second = new_chapters
    page.add_init_script(NO_DATABASE)
    open_desk(page, site, first)
    set_text(page, NEW)
    with held_answer(page, f"**/api/chapters/{first}"):  # what the version calls for
        click(page, second)
        expect(page.get_by_test_id("chapter-text")).to_have_text(SECOND)
    assert saved(writer, first) == (2, "", NEW)
    page.evaluate("(path) => fetch(path)", f"/api/chapters/{first}")  # answered after it
    assert desk_text(page) == SECOND
    add_text(page, TYPED)
    state(page, "saved")
    assert working(writer, second) == SECOND + TYPED


@pytest.mark.parametrize("fault", [NO_DATABASE, NO_ROOM], ids=["blocked", "full"])
def test_a_browser_that_keeps_nothing_says_so(
    page: Page, site: System, new_chapters: list[int], writer: Writer, fault: str
) -> None:
    first, _ = new_chapters
    line = page.get_by_test_id("saved-state")
    page.add_init_script(fault)
    open_desk(page, site, first)
    set_text(page, NEW)
    state(page, "saved")
    expect(line).to_contain_text("此浏览器没有留副本")
    assert working(writer, first) == NEW

    page.route("**/working", lambda call: call.abort())
    add_text(page, TYPED)
    state(page, "unkept")
    expect(line).to_contain_text("请勿关闭本页")
    page.unroute("**/working")
    state(page, "saved")
    assert working(writer, first) == NEW + TYPED
    page.reload()
    expect(page.get_by_test_id("chapter-text")).to_have_text(NEW + TYPED)


def test_two_people_in_one_browser_mix_no_texts(
    page: Page, site: System, chapters: list[int], project: str, writer: Writer
) -> None:
    first, _ = chapters
    (name,) = set(site.passwords) - {"writer"}
    add_text(page, NEW)
    state(page, "saved")
    forms = page.context.new_page()
    forms.goto(f"{site.url}/")
    others = page.context.new_page()
    page.context.clear_cookies(name="sessionid")
    others.goto(f"{site.url}/login")
    others.fill("#id_username", name)
    others.fill("#id_password", site.passwords[name])
    others.get_by_test_id("login-submit").click()
    expect(others.get_by_test_id("new-project-form")).to_be_visible()
    # The first one's pages are open still.
    add_text(page, TYPED)
    state(page, "signin")
    told, closed = sockets_of(forms)
    forms.evaluate(COME_BACK)
    while not closed:
        forms.wait_for_timeout(10)
    assert told == []
    forms.fill("#new-title-field", "盐灯")
    forms.get_by_test_id("new-project-form").get_by_role("button").first.click()
    expect(forms.get_by_test_id("sign-in")).to_be_visible()
    others.reload()
    expect(others.get_by_test_id("new-project-form")).to_be_visible()
    assert others.evaluate("async () => (await (await fetch('/api/projects')).json()).length") == 0
    expect(others.get_by_test_id("kept-texts")).to_have_count(0)
    assert working(writer, first) == OLD + NEW
    others.close()
    page.get_by_test_id("saved-action").click()
    page.keyboard.type(site.passwords["writer"])
    page.keyboard.press("Enter")
    state(page, "saved")
    assert working(writer, first) == OLD + NEW + TYPED == desk_text(page)
    expect(forms.get_by_test_id("sign-in")).to_be_hidden()
    forms.close()


def test_a_sign_in_elsewhere_ends_the_question(
    page: Page, site: System, chapters: list[int], writer: Writer
) -> None:
    cookies: list[Any] = page.context.cookies()
    page.context.clear_cookies()
    add_text(page, NEW)
    state(page, "signin")
    page.context.add_cookies(cookies)
    add_text(page, TYPED)
    state(page, "saved")
    expect(page.get_by_test_id("sign-in")).to_be_hidden()
    assert working(writer, chapters[0]) == OLD + NEW + TYPED


def test_a_key_during_a_save_makes_the_next_version(
    page: Page, chapters: list[int], writer: Writer
) -> None:
    first, _ = chapters
    add_text(page, NEW)
    state(page, "saved")
    with held_answer(page, f"**/api/chapters/{first}/versions"):
        save(page)
        add_text(page, TYPED)
        save(page)
    expect(page.locator("#chapter-version")).to_contain_text("3")
    assert saved(writer, first) == (3, "", OLD + NEW + TYPED)
