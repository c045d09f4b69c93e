"""What a page fetches and makes: little, of what the browser has and what nobody looks at."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System
from tests.browser.session import with_session
from tests.browser.test_telling import new_novel
from tests.browser.test_writing import CHAPTER
from tests.waiting import wait_for

pytestmark = pytest.mark.browser
MOST_BYTES, MOST_FETCHED = 60_000, 10


class Fetches:
    """What a page fetches from the server from now on: caches are not asked."""

    def __init__(self, page: Page) -> None:
        self.fetched: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self.session = page.context.new_cdp_session(page)
        self.session.on("Network.requestWillBeSent", self._sent)
        self.session.on("Network.requestServedFromCache", self._cached)
        self.session.on("Network.responseReceived", self._received)
        self.session.on("Network.loadingFinished", self._finished)
        self.session.send("Network.enable")

    def _sent(self, event: dict[str, Any]) -> None:
        self.fetched[event["requestId"]] = event["request"]["url"]

    def _cached(self, event: dict[str, Any]) -> None:
        self.fetched.pop(event["requestId"], None)

    def _received(self, event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache"):
            self._cached(event)

    def _finished(self, event: dict[str, Any]) -> None:
        self.sizes[event["requestId"]] = event["encodedDataLength"]

    @property
    def bytes(self) -> int:
        return sum(self.sizes.get(one, 0) for one in self.fetched)


def test_a_page_that_was_seen_before_loads_what_is_new(
    page: Page, site: System, writer: Writer
) -> None:
    project = new_novel(writer, "轻")
    chapter = writer.add_chapter(project, CHAPTER).body["id"]
    wait_for(lambda: writer.get(f"/api/chapters/{chapter}")["analysis"]["status"] == "completed",
             "the analysis")  # fmt: skip
    with_session(page, site)
    paths = ["/", f"/projects/{project}", f"/projects/{project}/bible", f"/chapters/{chapter}",
             "/notifications"]  # fmt: skip
    for path in paths:
        page.goto(f"{site.url}{path}", wait_until="networkidle")
        fetches = Fetches(page)
        page.goto(f"{site.url}{path}", wait_until="networkidle")
        assert 1 <= len(fetches.fetched) <= MOST_FETCHED, fetches.fetched
        assert 1_000 <= fetches.bytes <= MOST_BYTES, path
        fetches.session.detach()


# As on a busy page: what is in sight by now is told together with how it was before.
LATE_ENTRIES = """window.IntersectionObserver = class extends IntersectionObserver {
  constructor(heard, options) {
    super((seen) => heard([{ isIntersecting: false }, ...seen]), options);
  }
}"""


def test_of_a_long_bible_only_what_is_read_is_made(
    page: Page, site: System, writer: Writer
) -> None:
    project = new_novel(writer, "群像")
    person = {"action": "add", "type": "character", "fields": {"name": "人物"}}
    added = writer.http.post(f"/api/projects/{project}/bible/decisions", json=person)
    added.raise_for_status()

    def many(route: Route) -> None:
        answer = route.fetch()
        bible = answer.json()
        (one,) = bible["characters"]
        bible["characters"] = [{**one, "id": n, "name": f"人物{n}。"} for n in range(500)]
        route.fulfill(response=answer, json=bible)

    with_session(page, site)
    page.route("**/bible", lambda route: many(route) if "/api/" in route.request.url
               else route.continue_())  # fmt: skip
    page.add_init_script(LATE_ENTRIES)
    page.goto(f"{site.url}/projects/{project}/bible")
    people = page.locator('[data-part="characters"] article')
    expect(people.first).to_be_visible()
    made = people.count()
    assert made < 250

    def more() -> bool:
        """The last one may be made anew in that very moment."""
        people.last.evaluate("(one) => one.scrollIntoView()")
        return people.count() > made

    wait_for(more, "people made by scrolling")
    made = people.count()
    page.locator('[data-part="characters"] .rest').click()
    wait_for(lambda: people.count() > made, "the next people")
    page.locator("#search").fill("人物499")
    expect(people).to_have_count(1)
