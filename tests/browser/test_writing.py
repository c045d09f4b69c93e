"""A writer's first minutes, in a real browser against the real processes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from arboris.workspace.demo.system import System
from tests.browser.conftest import in_both_languages
from tests.browser.desk import save, set_text
from tests.browser.session import sign_in
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.browser

SAMPLE = Path(__file__).resolve().parents[2] / "arboris" / "novels" / "sample" / "zh.md"
CHAPTER = SAMPLE.read_text(encoding="utf-8").split("## ")[1].split("\n", 1)[1].strip()
TOASTS = {
    "zh-CN": "第 1 章增强分析已完成",
    "en-US": "Enhanced analysis of chapter 1 is complete",
}
PATIENCE_MS = 1000 * PATIENCE_SECONDS
# A toast goes after ten seconds, in which we may not have looked; none does on a hidden page.
KEEP_TOASTS = """() => {
  Object.defineProperty(document, 'hidden', { value: true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


def new_project(page: Page, title: str) -> None:
    page.fill("#new-title-field", title)
    page.get_by_test_id("new-project-submit").click()
    expect(page.get_by_test_id("chapter-form")).to_be_visible()


@in_both_languages
def test_a_pasted_chapter_and_its_toast(page: Page, site: System, locale: str) -> None:
    sign_in(page, site)
    new_project(page, f"雾海听钟 {locale}")
    page.evaluate("() => { window.sameDocument = true; }")
    page.evaluate(KEEP_TOASTS)
    page.get_by_test_id("chapter-title").fill("哑钟")
    page.get_by_test_id("chapter-content").fill(CHAPTER)
    page.get_by_test_id("chapter-submit").click()

    row = page.locator("[data-chapter-id]").first
    expect(row).to_contain_text("哑钟")
    toast = page.get_by_test_id("toast")
    expect(toast).to_contain_text(TOASTS[locale], timeout=PATIENCE_MS)
    expect(row.get_by_test_id("status-badge")).to_have_attribute("data-status", "completed")
    assert page.evaluate("() => window.sameDocument === true")


def test_a_finding_opens_by_keyboard(page: Page, site: System, project: str) -> None:
    page.goto(f"{site.url}/projects/{project}")
    page.get_by_test_id("chapter-content").fill(CHAPTER)
    page.get_by_test_id("chapter-submit").click()
    row = page.locator("[data-chapter-id]")
    expect(row.get_by_test_id("status-badge")).to_have_attribute("data-status", "completed")
    row.locator("a").first.click()

    entry = page.locator("#finding-list button").first
    entry.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("finding-detail")).to_be_visible()
    expect(page.get_by_test_id("chapter-text")).to_be_focused()


def test_an_empty_chapter_names_its_field(page: Page, site: System, project: str) -> None:
    page.goto(f"{site.url}/projects/{project}")
    page.get_by_test_id("chapter-title").fill("x" * 200)
    page.get_by_test_id("chapter-content").fill(" \n ")
    page.get_by_test_id("chapter-submit").click()

    expect(page.get_by_test_id("chapter-content")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_test_id("chapter-title")).to_have_value("x" * 200)
    expect(page.locator("[data-chapter-id]")).to_have_count(0)


def test_who_is_not_signed_in_is_asked_to(page: Page, site: System) -> None:
    page.goto(f"{site.url}/notifications")
    expect(page).to_have_url(re.compile(r"/login\?next=/notifications$"))


def test_a_short_chapter_says_why_it_waits(page: Page, site: System, project: str) -> None:
    page.goto(f"{site.url}/projects/{project}")
    page.get_by_test_id("chapter-content").fill("沈砚秋来了，又走了。")
    page.get_by_test_id("chapter-submit").click()
    row = page.locator("[data-chapter-id]").first
    expect(row.get_by_test_id("status-badge")).to_have_attribute("data-status", "none")
    expect(row.locator(".hint")).to_contain_text("200")
    row.locator("a").first.click()
    expect(page.locator("#analysis-note")).to_contain_text("200")  # on the chapter's page too
    expect(page.locator("#summary")).to_contain_text("沈砚秋来了")

    expect(page.locator("#desk")).not_to_have_attribute("aria-busy", "true")
    set_text(page, CHAPTER)
    save(page)
    expect(page.locator("#analysis-note")).to_be_hidden()
    set_text(page, "又短了。")
    save(page)
    expect(page.locator("#analysis-note")).to_contain_text("200")
    badge = page.get_by_test_id("status-badge")
    expect(badge).to_have_attribute("data-status", "none")  # the old text's analysis is not shown
