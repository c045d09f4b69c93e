"""A whole system on an empty SQLite database with a language model, and a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    WebError,
    expect,
    sync_playwright,
)

from arboris import supervise
from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System, running_system
from tests import llm_server, migrated
from tests.browser.desk import OLD, open_desk
from tests.browser.session import with_session
from tests.servers import chromium_path
from tests.waiting import PATIENCE_SECONDS

# The last three took processor time of each window: a process that is started ahead for a site
# which nobody opens, and pages of the address bar. The others are Playwright's, whose list ours
# takes the place of.
FEATURES_OFF = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "OptimizationHints",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "SpareRendererForSitePerProcess",
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
        "DJANGO_SETTINGS_MODULE": "tests.quick_settings",
        "ARBORIS_MAX_CONCURRENT": "2",
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


def new_profile(browser: Browser, locale: str) -> BrowserContext:
    profile = browser.new_context(locale=locale)
    profile.set_default_timeout(1000 * PATIENCE_SECONDS)
    return profile


@pytest.fixture(scope="package")
def profiles(browser: Browser) -> dict[str, BrowserContext]:
    """By language. They end with the browser."""
    return {}


@pytest.fixture
def profile(
    request: pytest.FixtureRequest,
    browser: Browser,
    locale: str,
    profiles: dict[str, BrowserContext],
) -> Iterator[BrowserContext]:
    """Of all tests of that language: the site's scripts are fetched once.

    With the mark ``own_profile`` one of the test's own: a clock, or a script of all pages, stays.
    """
    if request.node.get_closest_marker("own_profile"):
        profile = new_profile(browser, locale)
        yield profile
        profile.close()
        return
    if locale not in profiles:
        profiles[locale] = new_profile(browser, locale)
    yield profiles[locale]
    for page in profiles[locale].pages:
        page.close()


def forget(page: Page, url: str) -> None:
    """All that its profile has kept of the site but fetched files."""
    page.context.set_offline(False)
    page.context.clear_permissions()
    page.context.clear_cookies()
    session = page.context.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", {"origin": url, "storageTypes": "all"})
    session.detach()


def complaint(line: ConsoleMessage) -> list[str]:
    """An error of the page's own; what is refused is reported by the browser besides."""
    refused = line.text.startswith(("Failed to load resource", "WebSocket connection to"))
    return [line.text] if line.type == "error" and not refused else []


@pytest.fixture
def page(profile: BrowserContext, site: System) -> Iterator[Page]:
    """Signed in as nobody; what the console of a page of its profile complains about fails the
    test."""
    page = profile.new_page()
    forget(page, site.url)
    complaints: list[str] = []

    def on_console(line: ConsoleMessage) -> None:
        complaints.extend(complaint(line))

    def on_error(error: WebError) -> None:
        complaints.append(str(error.error))

    profile.on("console", on_console)
    profile.on("weberror", on_error)
    yield page
    page.close()
    profile.remove_listener("console", on_console)
    profile.remove_listener("weberror", on_error)
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
def new_chapter(project: str, writer: Writer) -> int:
    """Not open; the page is signed in, and blank."""
    return int(writer.add_chapter(project, OLD).body["id"])


@pytest.fixture
def chapter(page: Page, site: System, new_chapter: int) -> int:
    """A new chapter, open on the desk."""
    open_desk(page, site, new_chapter)
    return new_chapter
