"""A whole system on an empty SQLite database, and a real browser in front of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from arboris import supervise
from arboris.workspace.demo.client import is_ready
from tests.servers import chromium_path

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Site:
    url: str
    accounts: dict[str, str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("site")
    env = {"ARBORIS_DATA_DIR": str(place), "DATABASE_URL": "", "REDIS_URL": ""}
    supervise.run_managed(env, "migrate", "--verbosity=0")
    accounts = json.loads(supervise.run_managed(env, "demo_accounts"))
    port = supervise.free_port()
    commands = {"web": supervise.web(port), "workers": supervise.manage("qcluster")}
    with (place / "log").open("wb") as log:
        with supervise.services(commands, env, output=log) as running:
            url = f"http://127.0.0.1:{port}"
            supervise.wait_until(lambda: is_ready(url), running, 60)
            yield Site(url, accounts)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
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
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.extend(complaint(line)))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []
