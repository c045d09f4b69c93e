"""Fixtures that every package of tests may use."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import time
from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation
from pytest_django import DjangoDbBlocker, Settings

from analysis.worker.steward import Steward
from arboris.collector import collect_less_often, keep_what_is_loaded
from arboris.llm.accounting import admission, budget
from arboris.novels.models import NovelProject
from tests import emptied, guards, live, llm_server, migrated
from tests.analyzers import REGISTERED, Endless, Failing, Scripted
from tests.factories import JsonClient, client_of, make_project, make_user

# Whoever uses one of these starts processes.
PROCESS_FIXTURES = {"site", "browser"}
MORE_DATABASES = {"server_only", "postgresql"}
DATABASE_FIXTURES = {"db", "transactional_db", "site"}
# Longer than any test's own time limit in setup.cfg, and the end of its fixtures.
NOTHING_MOVES_SECONDS = 1200
processes = guards.ProcessGuard()
# Properties are tried on the same examples in every run, each for as long as it takes.
hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    collect_less_often()
    # As Ctrl-C: fixtures take down what they have started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A script's background job ignores Ctrl-C, and so would all that is started and sent one here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Real hashes are slow on purpose; sites in processes of their own have them.
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Else each test client looks for all static files that there are before its first request.
    django_settings.WHITENOISE_AUTOREFRESH = True
    TransactionTestCase._fixture_teardown = emptied.empty  # type: ignore[attr-defined]
    if not config.getoption("usepdb"):
        watch = guards.Watch(NOTHING_MOVES_SECONDS, os.dup(2))
        config.pluginmanager.register(watch)
        watch.start()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks what can be told; what holds on other databases alone is not skipped, but not there."""
    for item in items:
        if PROCESS_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("process")
        if is_of_the_queue(item) and not item.get_closest_marker("process"):
            item.add_marker("postgresql")
        if is_of_the_queue(item) or any(map(item.get_closest_marker, MORE_DATABASES)):
            item.add_marker("databases")
    elsewhere = "server_only" if connection.vendor == "sqlite" else "sqlite_only"
    left_out = {item for item in items if item.get_closest_marker(elsewhere)}
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=list(left_out))


def is_of_the_queue(item: pytest.Item) -> bool:
    """All that the queue does depends on how a database locks."""
    return "queue" in item.path.parts and uses_the_database(item)


def uses_the_database(item: pytest.Item) -> bool:
    return item.get_closest_marker("django_db") is not None or not DATABASE_FIXTURES.isdisjoint(
        getattr(item, "fixturenames", ())
    )


def begins_with_a_copy() -> bool:
    """In a whole run the suites on SQLite begin with a copy of one database's tables."""
    return connection.vendor == "sqlite" and migrated.SHARED in os.environ


def pytest_collection_finish(session: pytest.Session) -> None:
    # What has been imported lives to the end: it need not be looked through again and again.
    gc.collect()
    gc.freeze()
    # Here, since most tests may start no process.
    if begins_with_a_copy() and any(uses_the_database(item) for item in session.items):
        migrated.original()
    keep_what_is_loaded()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if item.get_closest_marker("process"):
        return (yield)
    with processes.refusing():
        return (yield)


@pytest.fixture(autouse=True)
def clean_slate() -> Iterator[None]:
    """Nothing of one test reaches the next: throttles, the active language, analyzers' state."""
    cache.clear()
    translation.deactivate()
    Failing.error = None
    Endless.started.clear()
    Scripted.runs.clear()
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def no_thread_of_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker in the tests' own process has no thread beside it: that would outlive the test, and
    write to the database beside the next one."""
    monkeypatch.setattr("analysis.worker.loop.current_steward", Steward)


@pytest.fixture(autouse=True)
def model_admission(request: pytest.FixtureRequest) -> Iterator[None]:
    """Calls are admitted by the database only where its thread sees what the test has committed."""
    marker = request.node.get_closest_marker("django_db")
    committed = marker is not None and marker.kwargs.get("transaction")
    if committed or "transactional_db" in request.fixturenames:
        yield
        return
    before = admission.use(admission.NoAdmission())
    yield
    admission.use(before)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> Iterator[None]:
    if not begins_with_a_copy():
        yield
        return
    with migrated.in_memory(f"file:memorydb_{connection.alias}?mode=memory&cache=shared"):
        yield  # Django's name of it


@pytest.fixture
def same_month(monkeypatch: pytest.MonkeyPatch) -> None:
    """The month of budgets has an hour more: it does not end in the middle of a test."""
    this, begins, ends = budget.month_of(datetime.now(UTC)), budget.month_of, budget.next_month

    def next_month(month: datetime) -> datetime:
        return ends(month) + timedelta(hours=month == this)

    monkeypatch.setattr(budget, "month_of", lambda moment: min(begins(moment), this))
    monkeypatch.setattr(budget, "next_month", next_month)


@pytest.fixture
def no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts are counted for a minute, in which a slow machine may not make them all."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    passed = time.monotonic()
    monkeypatch.setattr("arboris.sign_in.monotonic", lambda: passed)


@pytest.fixture
def writer(db: None) -> User:
    return make_user("writer")


@pytest.fixture
def stranger(db: None) -> User:
    return make_user("stranger")


@pytest.fixture
def api(writer: User) -> JsonClient:
    """The writer's API client, signed in by token."""
    return client_of(writer)


@pytest.fixture
def foreign(stranger: User) -> JsonClient:
    """Another writer's API client."""
    return client_of(stranger)


@pytest.fixture
def anonymous(db: None) -> JsonClient:
    return JsonClient()


@pytest.fixture
def project(writer: User) -> NovelProject:
    return make_project(writer)


@pytest.fixture
def scripted(settings: Settings) -> None:
    """Analyses run on the deterministic test analyzer."""
    settings.ARBORIS_ANALYZERS = REGISTERED
    settings.ARBORIS_ANALYZER = "scripted"


@pytest.fixture(scope="session")
def model_server() -> Iterator[llm_server.ModelServer]:
    """The language model that the live site is configured with."""
    with llm_server.serving() as server:
        yield server


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
    model_server: llm_server.ModelServer,
) -> Iterator[live.Site]:
    """One live site for all tests that need real processes."""
    extra = {"ARBORIS_LLM_BASE_URL": model_server.base_url, "ARBORIS_LLM_MODEL": "test-model"}
    # The server that DATABASE_URL names is asked for a database beside that of the suite.
    with contextlib.ExitStack() as stack:
        with django_db_blocker.unblock():
            running = stack.enter_context(live.running(tmp_path_factory.mktemp("site"), extra))
        yield running
        with django_db_blocker.unblock():
            stack.close()
