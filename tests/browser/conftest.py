"""A whole system on an empty SQLite database with a language model, and a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from arboris import supervise
from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System, running_system
from tests import llm_server, migrated
from tests.browser.desk import OLD, open_desk
from tests.browser.session import with_session
from tests.servers import chromium_path
from tests.waiting import PATIENCE_SECONDS

# The last two are pages of the address bar, which took half a second of processor time for each
# window; the others are Playwright's, whose list ours takes the place of.
FEATURES_OFF = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "OptimizationHints",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(FEATURES_OFF)}",
]


# Of tests of what is said: each text comes from a catalogue of the page's language.
in_both_languages = pytest.mark.parametrize("locale", ["zh-CN", "en-US"], indirect=True)
# Tests sign in far more often than people do.
OFTEN = {"ARBORIS_TOKEN_RATE": "10000/min", "ARBORIS_ACCOUNT_RATE": "10000/min"}


@pytest.fixture(scope="package")
def model() -> Iterator[llm_server.ModelServer]:
    """It writes the chapters that a writer asks for; the analyses are made without it."""
    with llm_server.serving() as server:
        yield server


@pytest.fixture(scope="package")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that the site's e-mail goes to, a file for each."""
    return tmp_path_factory.mktemp("mail")


@pytest.fixture(scope="package")
def site(
    tmp_path_factory: pytest.TempPathFactory, model: llm_server.ModelServer, mailbox: Path
) -> Iterator[System]:
    settings = {
        **OFTEN,
        "ARBORIS_SIGN_UP": "open",
        "ARBORIS_EMAIL_URL": mailbox.as_uri(),
        "ARBORIS_LLM_BASE_URL": model.base_url,
        "ARBORIS_LLM_MODEL": "test-model",
        "ARBORIS_SUMMARY": "extractive",
    }
    place = tmp_path_factory.mktemp("site")
    static = {"ARBORIS_STATIC_ROOT": str(place / "static")}  # as a service does before it starts
    supervise.run_managed(static, "collectstatic", "--noinput", "--verbosity=0")
    migrated.tables_to(place / "arboris.db")
    with running_system(place, settings) as system:
        yield system


# No longer than for this package: its event loop runs on the thread of all tests.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=FLAGS, timeout=1000 * PATIENCE_SECONDS
        )
        expect.set_options(timeout=1000 * PATIENCE_SECONDS)
        yield browser
        browser.close()


@pytest.fixture
def locale(request: pytest.FixtureRequest) -> str:
    """The default language's, where a test is not parametrized with others."""
    return str(getattr(request, "param", "zh-CN"))


def complaint(line: ConsoleMessage) -> list[str]:
    """An error of the page's own; what is refused is reported by the browser besides."""
    refused = line.text.startswith(("Failed to load resource", "WebSocket connection to"))
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


@pytest.fixture(scope="package")
def writer(site: System) -> Iterator[Writer]:
    """The one whom the pages are signed in as, over HTTP."""
    with closing(site.writer("en")) as writer:
        yield writer


@pytest.fixture
def project(page: Page, site: System, writer: Writer) -> str:
    """A new novel; the page is signed in, and blank."""
    with_session(page, site)
    return writer.new_project("盐灯", "zh")


@pytest.fixture
def chapter(page: Page, site: System, project: str, writer: Writer) -> int:
    """A new chapter, open on the desk."""
    chapter = int(writer.add_chapter(project, OLD).body["id"])
    open_desk(page, site, chapter)
    return chapter
