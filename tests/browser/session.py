"""The sessions of the site's writer and staff, for a page."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, expect

from arboris.workspace.demo.system import System

_cookies: dict[str, list[Any]] = {}  # of each site's first sign-in: their number is limited


def sign_in(page: Page, site: System) -> None:
    """Sign in by the form, once a site; later pages take over its session."""
    if site.url in _cookies:
        page.context.add_cookies(_cookies[site.url])
    page.goto(f"{site.url}/")
    if site.url not in _cookies:
        page.fill("#id_username", "writer")
        page.fill("#id_password", site.passwords["writer"])
        page.get_by_test_id("login-submit").click()
    expect(page.get_by_test_id("new-project-form")).to_be_visible()
    _cookies[site.url] = page.context.cookies()


def with_session(page: Page, site: System) -> None:
    """As ``sign_in``, for a page that goes elsewhere next."""
    if site.url in _cookies:
        page.context.add_cookies(_cookies[site.url])
    else:
        sign_in(page, site)


def sign_in_to_admin(page: Page, url: str, name: str, password: str, then: str = "/admin/") -> None:
    """At the admin's own page; it leads to the path ``then``."""
    page.goto(f"{url}/admin/login/?next={quote(then)}")
    page.fill("#id_username", name)
    page.fill("#id_password", password)
    page.locator("[type=submit]").click()
    expect(page.locator("#user-tools")).to_be_visible()
