"""From signing up to the first novel, and signing another browser out."""

from __future__ import annotations

import email
import re
from email import policy
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from arboris.workspace.demo.system import System
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.browser

NAME, PASSWORD = "砚秋", "salt-lamp-47-rain"


def link_to(mailbox: Path, address: str) -> str:
    """The link in the one message to an address; it was sent before the page answered."""
    messages = [email.message_from_bytes(path.read_bytes(), policy=policy.default)
                for path in mailbox.iterdir()]  # fmt: skip
    (message,) = [one for one in messages if one["To"] == address]
    found = re.search(r"http://\S+", message.get_content())
    assert found is not None
    return found.group()


def sign_in(page: Page, site: System) -> None:
    page.goto(f"{site.url}/login")
    page.fill("#id_username", NAME)
    page.fill("#id_password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("new-project-form")).to_be_visible()


def test_from_sign_up_to_the_sample_novel(
    page: Page, browser: Browser, site: System, mailbox: Path
) -> None:
    page.goto(f"{site.url}/login")
    page.get_by_role("link", name="注册").click()
    for label, text in (("用户名", NAME), ("电子邮件", "yan@example.org"), ("密码", PASSWORD)):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("密码（重复）").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="请查看邮箱")).to_be_visible()

    page.goto(link_to(mailbox, "yan@example.org"))
    page.get_by_test_id("confirm").click()
    expect(page.get_by_role("status")).to_be_visible()
    sign_in(page, site)
    page.get_by_test_id("sample").click()
    expect(page.get_by_role("heading", name="雾海听钟")).to_be_visible()

    phone = browser.new_context(locale="zh-CN")
    phone.set_default_timeout(1000 * PATIENCE_SECONDS)
    other = phone.new_page()
    sign_in(other, site)
    other.goto(f"{site.url}/accounts/")
    page.get_by_test_id("account").click()
    page.get_by_label("语言").select_option("en")
    page.get_by_test_id("profile-submit").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_test_id("bell")).to_be_visible()
    page.keyboard.press("Control+k")  # from a page that is of no novel to one of the novels
    page.get_by_test_id("palette-field").press_sequentially("听钟")
    expect(page.get_by_test_id("palette-list").get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="雾海听钟")).to_be_visible()
    page.get_by_test_id("account").click()
    page.get_by_role("link", name="Where you are signed in").click()
    expect(page.get_by_test_id("sessions").get_by_role("listitem")).to_have_count(2)
    page.get_by_test_id("end-session").click()
    expect(page.get_by_test_id("sessions").get_by_role("listitem")).to_have_count(1)
    other.reload()
    expect(other.get_by_test_id("login-form")).to_be_visible()
    phone.close()
