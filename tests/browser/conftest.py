"""A whole system on an empty SQLite database, and a real browser in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from arboris.workspace.demo.system import System, running_system
from tests.servers import chromium_path
from tests.waiting import PATIENCE_SECONDS

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# Tests sign in far more often than people do.
OFTEN = {"ARBORIS_TOKEN_RATE": "10000/min", "ARBORIS_ACCOUNT_RATE": "10000/min"}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(tmp_path_factory.mktemp("site"), OFTEN) as system:
        yield system


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        expect.set_options(timeout=1000 * PATIENCE_SECONDS)
        yield browser
        browser.close()


@pytest.fixture(params=["zh-CN", "en-US"])
def locale(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def complaint(line: ConsoleMessage) -> list[str]:
    """An error of the page's own; a refused request is reported by the browser besides."""
    refused = line.text.startswith("Failed to load resource")
    return [line.text] if line.type == "error" and not refused else []


@pytest.fixture
def page(browser: Browser, locale: str) -> Iterator[Page]:
    """A fresh browser profile; what its console complains about fails the test."""
    context = browser.new_context(locale=locale)
    context.set_default_timeout(1000 * PATIENCE_SECONDS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.extend(complaint(line)))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []
