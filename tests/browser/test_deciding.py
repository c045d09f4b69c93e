"""The writer's word about what the analyses found, in a real browser."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

import httpx2
import pytest
from playwright.sync_api import Page, Route, expect

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System
from tests.browser.conftest import in_both_languages
from tests.browser.session import with_session
from tests.browser.test_writing import CHAPTER, PATIENCE_MS

pytestmark = pytest.mark.browser


def with_waiting_findings(site: System, title: str) -> str:
    """A novel whose only chapter was analysed so strictly that all of it waits for the writer."""
    with closing(site.writer("en")) as writer:
        project = writer.new_project(title, "zh")
        strictly = {"dynamic_threshold": {"confidence_threshold": 1.0}}
        body = {"content": CHAPTER, "generation_config": strictly}
        _post(writer, f"/api/projects/{project}/chapters", body)
        return project


def _post(writer: Writer, path: str, body: Mapping[str, object]) -> None:
    answer: httpx2.Response = writer.http.post(path, json=body)
    answer.raise_for_status()


@in_both_languages
def test_accepted_by_keyboard_and_undone(page: Page, site: System, locale: str) -> None:
    project = with_waiting_findings(site, f"decisions {locale}")
    with_session(page, site)
    page.goto(f"{site.url}/projects/{project}/bible#questions")
    cards = page.locator('[data-part="questions"] article')
    expect(cards.first).to_be_visible(timeout=PATIENCE_MS)
    newcomer = cards.filter(has_text="新角色" if locale == "zh-CN" else "New character").first
    before = cards.count()

    newcomer.get_by_role("button").first.focus()
    page.keyboard.press("Enter")
    expect(cards).to_have_count(before - 1)
    expect(page.locator('[data-part="questions"] article button:focus')).to_have_count(1)
    expect(page.locator('[data-count="characters"]')).to_have_text("1")

    page.locator("#undo").focus()
    page.keyboard.press("Enter")
    expect(cards).to_have_count(before)
    expect(page.locator('[data-count="characters"]')).to_have_text("")


def test_what_is_decided_elsewhere_is_shown_once_it_is_folded(page: Page, site: System) -> None:
    project = with_waiting_findings(site, "folded behind")
    path = f"/api/projects/{project}/bible"
    folding = [True]

    def answer(call: Route) -> None:
        given = call.fetch()
        call.fulfill(response=given, json=given.json() | ({"folding": True} if folding else {}))

    with_session(page, site)
    page.route(f"**{path}", answer)
    page.goto(f"{site.url}/projects/{project}/bible")
    expect(page.locator("#bible-folding")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator('[data-part="questions"] article').first).to_be_attached(
        timeout=PATIENCE_MS
    )
    folding.clear()
    with closing(site.writer("en")) as writer:
        added = {"action": "add", "type": "character", "fields": {"name": "程九"}}
        _post(writer, f"{path}/decisions", added)
    expect(page.locator('[data-part="characters"]')).to_contain_text("程九", timeout=PATIENCE_MS)
    expect(page.locator("#bible-folding")).to_be_hidden()


def test_the_bible_is_saved_as_a_file(page: Page, site: System) -> None:
    project = with_waiting_findings(site, "export")
    with_session(page, site)
    page.goto(f"{site.url}/projects/{project}/bible")
    with page.expect_download() as download:
        page.locator('a[href$="export.md"]').click()
    assert download.value.suggested_filename == "bible.md"
