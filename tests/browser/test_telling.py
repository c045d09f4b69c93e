"""What ends is told quietly: few toasts and requests however much it is, the same in every tab."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    WebSocketRoute,
    expect,
)

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System
from tests.browser.desk import open_desk
from tests.browser.session import sign_in, with_session
from tests.browser.test_writing import CHAPTER, KEEP_TOASTS
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

BURST = 50
MOST_TOASTS, MOST_REQUESTS, MOST_SHIFT = 3, 15, 0.05
# Counts what the page shows from its first moment on.
WATCH = """() => {
  window.toasts = 0;
  window.shift = 0;
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      for (const node of addedNodes) window.toasts += node.matches?.('.toast') ? 1 : 0;
  }).observe(document, { childList: true, subtree: true });
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value;
  }).observe({ type: 'layout-shift', buffered: true });
}"""
LIST = "/api/async-analysis/notifications"


def new_novel(writer: Writer, title: str) -> str:
    return writer.new_project(title, "zh")


def novel_of(chapters: int) -> str:
    return "\n\n".join(f"第{n}章 夜{n}\n\n{CHAPTER[:400]}" for n in range(1, chapters + 1))


@pytest.fixture
def writer(writer: Writer) -> Writer:
    """Everything is read."""
    writer.http.post(f"{LIST}/read-all").raise_for_status()
    return writer


def another_tab(page: Page, url: str, path: str) -> Page:
    tab = page.context.new_page()
    tab.goto(f"{url}{path}")
    return tab


def asked(page: Page) -> list[str]:
    """The requests of the page from now on."""
    paths: list[str] = []

    def on_request(request: Request) -> None:
        paths.append(f"{request.method} {request.url}")

    page.on("request", on_request)
    return paths


class Gate:
    """Between the pages' sockets and the server: while it is shut, what the server says waits."""

    def __init__(self, context: BrowserContext) -> None:
        self.shut = False
        self._waiting: list[tuple[WebSocketRoute, str | bytes]] = []
        context.route_web_socket(re.compile("/ws/notifications"), self._connect)

    def open(self) -> None:
        self.shut = False
        while self._waiting:
            socket, message = self._waiting.pop(0)
            socket.send(message)

    def _connect(self, socket: WebSocketRoute) -> None:
        def arrived(message: str | bytes) -> None:
            if self.shut:
                self._waiting.append((socket, message))
            else:
                socket.send(message)

        socket.connect_to_server().on_message(arrived)


@pytest.mark.own_profile
def test_a_burst_is_told_in_few_words(
    page: Page, site: System, writer: Writer, browser: Browser
) -> None:
    project = new_novel(writer, "盐灯")
    with_session(page, site)
    page.context.add_init_script(f"({WATCH})()")
    gate = Gate(page.context)
    tabs = [another_tab(page, site.url, f"/projects/{project}"),
            another_tab(page, site.url, f"/projects/{project}/bible"),
            another_tab(page, site.url, "/notifications")]  # fmt: skip
    for tab in tabs:  # their sockets are open: what comes now is live
        expect(tab.locator("[aria-busy]:not(form)")).to_have_count(0)
        tab.wait_for_function("() => document.querySelector('#link-state').dataset.state === 'up'")
    requests = [asked(tab) for tab in tabs]

    # However long fifty analyses take here: the pages hear of all of them at once.
    gate.shut = True
    upload = {"file": ("novel.txt", novel_of(BURST).encode(), "text/plain")}
    writer.http.post(f"/api/projects/{project}/import", files=upload).raise_for_status()
    status = f"/api/async-analysis/status?project_id={project}"
    wait_for(lambda: writer.http.get(status).json()["completed"] == BURST, "all are completed")
    gate.open()
    for tab in tabs:
        expect(tab.get_by_test_id("unread")).to_have_text(str(BURST))
    badges = tabs[0].get_by_test_id("status-badge")
    expect(badges).to_have_count(BURST)
    expect(tabs[0].locator('[data-testid="status-badge"][data-status="completed"]')).to_have_count(
        BURST
    )
    expect(tabs[1].locator("#running")).to_be_hidden()

    assert 1 <= sum(tab.evaluate("() => window.toasts") for tab in tabs) <= MOST_TOASTS
    for tab, paths in zip(tabs, requests, strict=True):
        assert len(paths) <= MOST_REQUESTS, paths
        assert tab.evaluate("() => window.shift") <= MOST_SHIFT, tab.url

    read_all_elsewhere(browser, page, site, tabs)


def read_all_elsewhere(browser: Browser, page: Page, site: System, tabs: list[Page]) -> None:
    """In another browser; the last of the tabs shows the notifications."""
    elsewhere = browser.new_context(locale="zh-CN")
    other = elsewhere.new_page()
    elsewhere.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    other.goto(f"{site.url}/notifications")
    other.get_by_test_id("read-all").click()
    for tab in [*tabs, other]:
        expect(tab.get_by_test_id("unread")).to_be_hidden()
    expect(tabs[-1].locator("#notices > li[data-unread=true]")).to_have_count(0)
    tabs[-1].get_by_test_id("fresh").click()
    expect(tabs[-1].locator("#notices > li")).to_have_count(50)
    elsewhere.close()


def test_the_bell_says_what_came_of_it(page: Page, site: System, writer: Writer) -> None:
    project = new_novel(writer, "灯塔")
    sign_in(page, site)
    saved = writer.add_chapter(project, CHAPTER).body
    expect(page.get_by_test_id("unread")).to_have_text("1")
    page.get_by_test_id("bell").focus()
    page.keyboard.press("Enter")
    line = page.get_by_test_id("digest").locator("li").first
    expect(line).to_contain_text("《灯塔》")
    expect(line).to_contain_text("个新人物")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("digest")).to_be_hidden()
    page.get_by_test_id("bell").click()
    line.locator("a").click()
    page.wait_for_url(f"**/chapters/{saved['id']}")
    expect(page.get_by_test_id("unread")).to_be_hidden()


def change(site: System, *statements: tuple[str, list[Any]]) -> None:
    """In the site's database: nothing that a writer does makes an analysis end otherwise."""
    names = Path(f"/proc/{site.services['workers'].process.pid}/environ").read_bytes().split(b"\0")
    env = dict(name.decode().split("=", 1) for name in names if name)
    with closing(sqlite3.connect(Path(env["ARBORIS_DATA_DIR"], "arboris.db"), 60)) as db, db:
        for statement in statements:
            db.execute(*statement)


def end_as_failed(site: System, task: int) -> None:
    """An analysis that had ended well has failed."""
    told = "UPDATE analysis_notifications SET notification_type = 'failed'"
    change(
        site,
        ("UPDATE pending_analysis SET status = 'failed' WHERE id = ?", [task]),
        (f"{told} WHERE pending_analysis_id = ?", [task]),
    )


def end_without(site: System, task: int, feature: str) -> None:
    """An analysis that had ended well has ended without one of its features."""
    lacks = "json_set({0}, '$.missing', json_array(?))"
    change(
        site,
        (f"UPDATE pending_analysis SET result = {lacks.format('result')} WHERE id = ?",
         [feature, task]),
        (f"UPDATE analysis_notifications SET data = {lacks.format('data')}"
         " WHERE pending_analysis_id = ?", [feature, task]),
    )  # fmt: skip


def test_what_failed_is_done_again_from_its_notification(
    page: Page, site: System, project: str, writer: Writer
) -> None:
    saved = writer.add_chapter(project, CHAPTER).body
    latest = f"/api/async-analysis/tasks/{saved['id']}/latest"
    wait_for(lambda: writer.get(latest)["status"] == "completed", "the analysis")
    end_as_failed(site, saved["analysis"]["id"])
    page.goto(f"{site.url}/notifications")
    first = page.locator("#notices > li").first
    first.get_by_test_id("retry-notice").focus()
    page.keyboard.press("Enter")
    expect(first.get_by_role("status")).to_have_text("已重新排队")
    expect(first.get_by_role("status")).to_be_focused()
    expect(first).to_have_attribute("data-unread", "false")
    wait_for(lambda: writer.get(latest)["status"] == "completed", "the second try")

    page.get_by_test_id("bell").click()
    digest = page.get_by_test_id("digest")
    digest.get_by_test_id("retry-notice").first.click()  # it is done already
    expect(digest.get_by_role("alert")).to_be_visible()


def test_what_is_missing_is_asked_for_again_from_the_desk(
    page: Page, site: System, project: str, writer: Writer
) -> None:
    """And from its notification; with the keyboard alone."""
    saved = writer.add_chapter(project, CHAPTER).body
    latest = f"/api/async-analysis/tasks/{saved['id']}/latest"
    wait_for(lambda: writer.get(latest)["status"] == "completed", "the analysis")
    end_without(site, saved["analysis"]["id"], "world_expansion")
    page.goto(f"{site.url}/notifications")
    first = page.locator("#notices > li").first
    expect(first.get_by_test_id("retry-notice")).to_be_visible()

    open_desk(page, site, saved["id"])
    status = page.locator("#analysis")
    expect(status.get_by_test_id("status-badge")).to_have_attribute("data-status", "completed")
    expect(status.locator(".problem")).to_have_text("缺少世界观：模型没有给出可用的回答。")
    status.get_by_test_id("retry-analysis").focus()
    page.keyboard.press("Enter")
    expect(status.get_by_test_id("retry-analysis")).to_be_hidden()
    wait_for(lambda: writer.get(latest)["status"] == "completed", "the second try")
    expect(status.get_by_test_id("status-badge")).to_have_attribute("data-status", "completed")
    expect(status.locator(".problem")).to_be_hidden()


# The headless shell does not say so itself, whatever it has granted.
GRANTED = "Object.defineProperty(Notification, 'permission', { value: 'granted' });"

# What the browser is asked to show.
SHOWN = """() => {
  window.shown = [];
  window.Notification = class extends Notification {
    constructor(title, options) {
      super(title, options);
      window.shown.push({ title, body: options.body, it: this });
    }
  };
}"""


def test_the_browser_tells_whoever_asked_for_it_and_looks_elsewhere(
    page: Page, site: System, project: str, writer: Writer
) -> None:
    page.add_init_script(f"({SHOWN})()")
    page.goto(f"{site.url}/notifications")
    box = page.get_by_test_id("by-browser")
    expect(page.locator('[aria-busy="true"]')).to_have_count(0)
    box.click()  # it asks the browser, which does not allow it
    expect(page.locator("#notifications-status")).to_contain_text("浏览器")
    expect(box).not_to_be_checked()

    page.context.grant_permissions(["notifications"], origin=site.url)
    page.add_init_script(GRANTED)
    box.check()
    page.reload()
    expect(box).to_be_checked()
    page.wait_for_function("() => document.querySelector('#link-state').dataset.state === 'up'")
    page.evaluate(KEEP_TOASTS)  # the page is hidden
    saved = writer.add_chapter(project, CHAPTER).body
    page.wait_for_function("() => window.shown.length > 0")
    told = page.evaluate("() => window.shown.map(({ title, body }) => [title, body])")
    assert len(told) == 1 and told[0][0] == "Arboris" and "《盐灯》" in told[0][1]
    expect(page.get_by_test_id("toast")).to_have_count(0)
    page.evaluate("() => window.shown[0].it.dispatchEvent(new Event('click'))")
    page.wait_for_url(f"**/chapters/{saved['id']}")


def test_older_ones_are_reached_and_a_muted_novel_stays_in_the_list(
    page: Page, site: System, writer: Writer
) -> None:
    project = new_novel(writer, "静夜")
    with_session(page, site)
    page.goto(f"{site.url}/projects/{project}")
    page.locator("#settings > summary").click()
    page.get_by_test_id("project-muted").check()
    page.locator("#edit-project button:not([type=button])").click()
    expect(page.locator("#edit-project .form-status")).not_to_be_empty()
    page.evaluate(f"({WATCH})()")
    page.evaluate(KEEP_TOASTS)
    upload = {"file": ("novel.txt", novel_of(51).encode(), "text/plain")}
    writer.http.post(f"/api/projects/{project}/import", files=upload).raise_for_status()
    unread = f"{LIST}?unread_only=true&limit=100"
    wait_for(lambda: len(writer.get(unread)) == 51, "the notifications of a muted novel")
    # What comes after them from another novel is told, and it alone counts.
    writer.add_chapter(new_novel(writer, "钟"), CHAPTER)
    expect(page.get_by_test_id("unread")).to_have_text("1")
    assert page.evaluate("() => window.toasts") <= 1

    page.goto(f"{site.url}/notifications")
    notices = page.locator("#notices > li")
    expect(notices).to_have_count(50)
    page.get_by_test_id("older").click()
    wait_for(lambda: notices.count() > 50, "older notifications")
    ids = notices.evaluate_all("(all) => all.map((one) => Number(one.dataset.notificationId))")
    assert ids == sorted(set(ids), reverse=True)
