"""A chapter that the model writes before the writer's eyes, and one that breaks off."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from arboris.workspace.demo.system import System
from tests import llm_server
from tests.browser.conftest import in_both_languages
from tests.browser.test_writing import PATIENCE_MS

pytestmark = pytest.mark.browser

PIECES = [f"第{n}夜，灯影摇晃，沈砚秋听见楼下有人低声说话。\n" for n in range(1, 13)]
KEPT = {"zh-CN": "草稿", "en-US": "draft"}


def ask_for_a_chapter(page: Page, site: System, project: str) -> None:
    page.goto(f"{site.url}/projects/{project}")
    page.get_by_test_id("generate-instructions").fill("写一场雨夜")
    page.get_by_test_id("generate-submit").click()


def test_the_text_grows_before_the_writers_eyes(
    page: Page, site: System, project: str, model: llm_server.ModelServer
) -> None:
    model.script = llm_server.Script(pieces=PIECES, hold_after=3)
    ask_for_a_chapter(page, site, project)
    text = page.get_by_test_id("generate-text")
    expect(text).to_contain_text("第3夜", timeout=PATIENCE_MS)
    expect(text).not_to_contain_text("第4夜")
    model.script.go_on.set()
    expect(text).to_contain_text("第12夜", timeout=PATIENCE_MS)
    row = page.locator("[data-chapter-id]")
    expect(row).to_have_count(1, timeout=PATIENCE_MS)
    expect(row.get_by_test_id("status-badge")).to_have_attribute(
        "data-status", "completed", timeout=PATIENCE_MS
    )


def test_thoughts_do_not_stay_on_the_page(
    page: Page, site: System, project: str, model: llm_server.ModelServer
) -> None:
    thoughts = ["先写雨，", "再写人。", "</think>\n\n"]
    model.script = llm_server.Script(pieces=[*thoughts, *PIECES])
    ask_for_a_chapter(page, site, project)
    expect(page.locator("[data-chapter-id]")).to_have_count(1)
    expect(page.get_by_test_id("generate-text")).to_have_text("".join(PIECES), use_inner_text=True)


@in_both_languages
def test_stopped_by_keyboard_the_text_is_kept(
    page: Page, site: System, project: str, locale: str, model: llm_server.ModelServer
) -> None:
    model.script = llm_server.Script(pieces=PIECES, hold_after=3)
    ask_for_a_chapter(page, site, project)
    expect(page.get_by_test_id("generate-text")).to_contain_text("第3夜", timeout=PATIENCE_MS)
    page.get_by_test_id("generate-stop").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#generate .form-status")).to_contain_text(KEPT[locale])
    model.script.go_on.set()
    page.reload()
    row = page.locator("[data-chapter-id]")
    expect(row).to_contain_text("第1夜", timeout=PATIENCE_MS)
    expect(row.get_by_test_id("status-badge")).to_contain_text(KEPT[locale], ignore_case=True)


@in_both_languages
def test_what_a_broken_stream_left_is_a_draft(
    page: Page, site: System, project: str, locale: str, model: llm_server.ModelServer
) -> None:
    model.script = llm_server.Script(pieces=PIECES, break_off_after=4)
    ask_for_a_chapter(page, site, project)
    alert = page.locator("#generate .alert")
    expect(alert).to_contain_text(KEPT[locale], timeout=PATIENCE_MS)
    expect(page.locator("[data-chapter-id]")).to_have_count(1)
