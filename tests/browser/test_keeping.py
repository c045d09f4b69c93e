"""No line, no server, no session, no page: what was typed is there all the same."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import FilePayload, Page, Request, Route, expect

from arboris import supervise
from arboris.workspace.demo.client import Writer, is_ready
from arboris.workspace.demo.system import READY_SECONDS, System
from tests import llm_server
from tests.browser.desk import (
    NEW,
    OLD,
    TYPED,
    add_text,
    desk_text,
    save,
    saved,
    set_text,
    state,
    working,
)
from tests.browser.session import with_session
from tests.waiting import wait_for

pytestmark = pytest.mark.browser


class WebServer:
    """The site's web process, to be killed and started again."""

    def __init__(self, site: System, stack: ExitStack) -> None:
        self.site, self._stack = site, stack
        self._service = site.services["web"]
        names = Path(f"/proc/{self._service.process.pid}/environ").read_bytes().split(b"\0")
        self._env = dict(os.fsdecode(name).split("=", 1) for name in names if name)

    def kill(self) -> None:
        os.killpg(self._service.process.pid, signal.SIGKILL)
        self._service.process.wait()

    def start(self) -> None:
        port = urlsplit(self.site.url).port
        assert port is not None
        commands = {"web": supervise.web(port)}
        running = self._stack.enter_context(supervise.services(commands, self._env))
        self._service = running[0]
        supervise.wait_until(lambda: is_ready(self.site.url), running, READY_SECONDS)


@pytest.fixture(scope="package")
def server(site: System) -> Iterator[WebServer]:
    with ExitStack() as stack:
        yield WebServer(site, stack)


def chapters(writer: Writer, project: str) -> list[str]:
    rows = writer.get(f"/api/projects/{project}/chapters")
    return [writer.get(f"/api/chapters/{row['id']}")["content"] for row in rows]


def test_without_a_line_it_is_kept_and_sent_once(page: Page, chapter: int, writer: Writer) -> None:
    set_text(page, NEW)
    state(page, "saved")
    sent: list[Request] = []
    page.on("requestfinished", lambda call: sent.append(call))
    page.context.set_offline(True)
    add_text(page, TYPED)
    state(page, "offline")
    add_text(page, "她也没有。")
    save(page)
    assert working(writer, chapter) == NEW
    page.context.set_offline(False)
    state(page, "version")
    assert saved(writer, chapter) == (2, "", NEW + TYPED + "她也没有。")
    assert [call.method for call in sent].count("PUT") == 1  # one call has it all


def close_without_a_line(page: Page, text: str) -> Page:
    """Type while the network is away, and leave; returns another page of the same browser."""
    page.context.set_offline(True)
    set_text(page, text)
    state(page, "offline")
    other = page.context.new_page()
    page.goto("about:blank")
    return other


def test_a_page_closed_without_a_line_is_sent_by_the_next_one(
    page: Page, site: System, project: str, chapter: int, writer: Writer
) -> None:
    other = close_without_a_line(page, NEW)
    page.context.set_offline(False)
    other.goto(f"{site.url}/projects/{project}")
    wait_for(lambda: saved(writer, chapter) == (2, "", NEW), "the version made by the other page")
    other.close()


@pytest.mark.own_profile
def test_what_another_page_cannot_send_it_sends_later(
    page: Page, site: System, project: str, chapter: int, writer: Writer
) -> None:
    other = close_without_a_line(page, NEW)
    page.context.set_offline(False)
    lost: list[Request] = []
    other.on("requestfailed", lambda call: lost.append(call))
    other.route("**/working", lambda call: call.abort(), times=1)
    other.clock.install()
    other.goto(f"{site.url}/projects/{project}")

    def sent() -> bool:
        other.clock.fast_forward(20_000)  # its pause between two tries
        return saved(writer, chapter) == (2, "", NEW)

    wait_for(sent, "the next try")
    assert [call for call in lost if call.url.endswith("/working")]
    other.close()


def test_the_name_of_a_version_is_kept_without_a_line(
    page: Page, site: System, project: str, chapter: int, writer: Writer
) -> None:
    page.context.set_offline(True)
    set_text(page, NEW)
    page.get_by_test_id("name-version").click()
    page.keyboard.type("初稿")
    page.keyboard.press("Enter")
    state(page, "offline")
    other = page.context.new_page()
    page.goto("about:blank")
    page.context.set_offline(False)
    other.goto(f"{site.url}/projects/{project}")
    wait_for(lambda: saved(writer, chapter) == (2, "", NEW), "the version made by the other page")
    assert writer.get(f"/api/chapters/{chapter}/versions")[0]["name"] == "初稿"
    other.close()


def test_a_reload_and_a_way_back_lose_nothing(
    page: Page, site: System, chapter: int, writer: Writer
) -> None:
    set_text(page, NEW)
    page.reload()
    expect(page.get_by_test_id("chapter-text")).to_have_text(NEW)
    wait_for(lambda: saved(writer, chapter) == (2, "", NEW), "the version that leaving makes")
    add_text(page, TYPED)
    page.goto(f"{site.url}/notifications")
    page.go_back()
    expect(page.get_by_test_id("chapter-text")).to_have_text(NEW + TYPED)
    wait_for(lambda: saved(writer, chapter) == (3, "", NEW + TYPED), "the next version")


def test_an_ended_session_is_renewed_on_the_spot(
    page: Page, site: System, chapter: int, writer: Writer
) -> None:
    page.context.clear_cookies()
    set_text(page, NEW)
    state(page, "signin")
    expect(page.get_by_test_id("chapter-text")).to_be_focused()  # the dialog does not interrupt
    add_text(page, TYPED)
    page.get_by_test_id("saved-action").click()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("sign-in").get_by_role("alert")).to_be_visible()
    page.locator("#sign-in-password").fill(site.passwords["writer"])
    page.keyboard.press("Enter")
    state(page, "saved")
    expect(page.get_by_test_id("sign-in")).to_be_hidden()
    expect(page.get_by_test_id("chapter-text")).to_be_focused()
    assert working(writer, chapter) == NEW + TYPED == desk_text(page)


def test_what_the_server_has_refused_waits_for_its_writer(
    page: Page, site: System, project: str, chapter: int, writer: Writer
) -> None:
    page.context.set_offline(True)
    set_text(page, NEW)
    # Before the page is left: what it sends then passes Chromium's offline mode.
    writer.http.patch(f"/api/chapters/{chapter}", json={"content": TYPED}).raise_for_status()
    line = page.get_by_test_id("saved-state")
    expect(line).to_have_attribute("data-state", re.compile("offline|conflict"))
    other = page.context.new_page()
    page.goto("about:blank")
    page.context.set_offline(False)
    other.goto(f"{site.url}/projects/{project}")
    other.get_by_test_id("kept-texts").get_by_role("link").click()
    expect(other.get_by_test_id("conflict")).to_be_focused()
    result = other.get_by_test_id("conflict-result")
    result.fill("她没有应声。")  # which takes a while, and is kept too
    other.get_by_test_id("conflict-later").click()
    other.get_by_test_id("saved-action").click()
    expect(result).to_have_value("她没有应声。")
    other.reload()
    expect(result).to_have_value("她没有应声。")
    other.get_by_test_id("take-both").click()
    other.get_by_test_id("conflict-merge").click()
    state(other, "saved")
    assert working(writer, chapter) == f"{NEW}\n{TYPED}"
    other.close()


KEPT_FORMS = """() => new Promise((done) => {
  indexedDB.open('arboris').onsuccess = ({ target: { result: database } }) => {
    const keys = database.transaction('drafts').objectStore('drafts').getAllKeys();
    keys.onsuccess = () => done(keys.result.filter((key) => key.includes(':form:')).length);
  };
})"""


def test_what_is_said_of_a_novel_is_kept_and_takes_nothing_newer_back(
    page: Page, site: System, writer: Writer
) -> None:
    with_session(page, site)
    page.goto(f"{site.url}/")
    form = page.get_by_test_id("new-project-form")
    form.locator("[name=title]").fill("盐灯")
    form.locator("[name=synopsis]").fill("一座灯塔。")
    page.reload()
    expect(form.locator("[name=synopsis]")).to_have_value("一座灯塔。")
    page.get_by_test_id("new-project-submit").click()
    expect(page.locator("#edit-project")).to_be_attached()
    project = page.url.rsplit("/", 1)[-1]
    assert writer.get(f"/api/projects/{project}")["synopsis"] == "一座灯塔。"

    page.locator("#settings summary").click()
    page.locator("#edit-synopsis").fill("两座灯塔。")
    page.reload()
    expect(page.locator("#edit-synopsis")).to_have_value("两座灯塔。")
    wait_for(lambda: page.evaluate(KEPT_FORMS) == 1, "what was typed is kept")
    writer.http.patch(f"/api/projects/{project}", json={"title": "夜灯"}).raise_for_status()
    page.locator("#edit-project button:not([type=button])").click()
    expect(page.locator("#edit-title-field")).to_have_value("夜灯")
    novel = writer.get(f"/api/projects/{project}")
    assert (novel["title"], novel["synopsis"]) == ("夜灯", "两座灯塔。")
    wait_for(lambda: not page.evaluate(KEPT_FORMS), "nothing is kept any more")


def lose_answer(route: Route) -> None:
    """The server does what was asked, and its answer is lost on the way."""
    route.fetch()
    route.abort()


def submit_into_the_void(page: Page, project: str, text: str) -> None:
    page.get_by_test_id("chapter-content").fill(text)
    page.route(f"**/api/projects/{project}/chapters", lose_answer, times=1)
    page.get_by_test_id("chapter-submit").click()
    expect(page.locator("#new-chapter .alert")).to_be_visible()


def test_a_lost_answer_and_a_second_try_make_one_chapter(
    page: Page, site: System, project: str, writer: Writer
) -> None:
    page.goto(f"{site.url}/projects/{project}")
    content, submit = page.get_by_test_id("chapter-content"), page.get_by_test_id("chapter-submit")
    submit_into_the_void(page, project, OLD)
    page.reload()
    expect(content).to_have_value(OLD)
    submit.click()
    expect(content).to_have_value("")
    assert chapters(writer, project) == [OLD]
    submit_into_the_void(page, project, NEW)
    content.press_sequentially(TYPED)
    submit.click()
    expect(content).to_have_value("")
    assert chapters(writer, project) == [OLD, NEW + TYPED]


def test_a_lost_answer_and_a_second_click_add_import_and_write_once(
    page: Page,
    site: System,
    project: str,
    chapter: int,
    writer: Writer,
    model: llm_server.ModelServer,
) -> None:
    path = f"**/api/projects/{project}"
    page.route(f"{path}/chapters", lose_answer, times=1)
    page.get_by_test_id("binder-add").click()
    expect(page.get_by_test_id("binder-status")).not_to_be_empty()
    page.get_by_test_id("binder-add").click()
    expect(page.get_by_test_id("chapter-text")).to_have_text("")
    assert chapters(writer, project) == [OLD, ""]

    page.goto(f"{site.url}/projects/{project}")
    text = f"第三章 雨\n\n{NEW}\n\n第四章 灯\n\n{TYPED}\n".encode()
    book: FilePayload = {"name": "雨.txt", "mimeType": "text/plain", "buffer": text}
    page.get_by_test_id("import-file").set_input_files(book)
    page.route(f"{path}/import", lose_answer, times=1)
    page.get_by_test_id("import-submit").click()
    page.get_by_test_id("import-agree").click()
    expect(page.locator("#import .alert")).to_be_visible()
    page.get_by_test_id("import-submit").click()  # nothing is asked again
    expect(page.locator("#import .form-status")).to_contain_text("2")
    assert chapters(writer, project) == [OLD, "", NEW, TYPED]

    model.script = llm_server.Script(pieces=["第一夜。"])
    page.get_by_test_id("generate-instructions").fill("写一场雨夜")
    page.route(f"{path}/chapters/generate", lose_answer, times=1)
    page.get_by_test_id("generate-submit").click()
    expect(page.locator("#generate .alert")).to_be_visible()
    page.get_by_test_id("generate-submit").click()
    expect(page.get_by_test_id("generate-text")).to_have_text("第一夜。")
    assert chapters(writer, project) == [OLD, "", NEW, TYPED, "第一夜。"]


def test_a_killed_server_takes_neither_what_is_typed_nor_what_was_written(
    page: Page,
    site: System,
    server: WebServer,
    project: str,
    chapter: int,
    writer: Writer,
    model: llm_server.ModelServer,
) -> None:
    set_text(page, NEW)
    state(page, "saved")
    model.script = llm_server.Script(pieces=["第一夜，", "第二夜，", "第三夜。"], hold_after=2)
    writing = page.context.new_page()
    writing.goto(f"{site.url}/projects/{project}")
    writing.get_by_test_id("generate-instructions").fill("写一场雨夜")
    writing.get_by_test_id("generate-submit").click()
    expect(writing.get_by_test_id("generate-text")).to_contain_text("第二夜")
    server.kill()
    add_text(page, TYPED)
    state(page, "offline")
    expect(writing.locator("#generate .alert")).to_be_visible()
    model.script.go_on.set()
    server.start()
    state(page, "saved")
    assert working(writer, chapter) == NEW + TYPED == desk_text(page)
    writing.reload()
    writing.get_by_test_id("generated-kept").get_by_role("button").click()
    expect(writing.get_by_test_id("chapter-content")).to_have_value("第一夜，第二夜，")
    expect(writing.get_by_test_id("generate-instructions")).to_have_value("写一场雨夜")
