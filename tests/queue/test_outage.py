"""The database server goes away in every way a real one does: work goes on when it is back.

A real site (daphne, qcluster) on a server of its own, of the kind that DATABASE_URL names.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from arboris.db import is_away
from arboris.settings import database_from_url
from tests import live, outages, servers
from tests.bench.chaos_processes import family, kill
from tests.live import Site, slow_text, wait_for_task
from tests.outages import Database
from tests.queue.stream import (
    STORY,
    TASKS,
    check_done_once,
    post,
    stream,
    task_of,
)
from tests.waiting import PATIENCE_SECONDS, wait_for

# The mark is for the look into the live site's own database.
pytestmark = [pytest.mark.server_only, pytest.mark.django_db]

OUTAGES = 2
# Whoever has the lock may be asleep.
IMPATIENT = {
    "mysql": "SET SESSION innodb_lock_wait_timeout = 1",
    "postgresql": "SET lock_timeout = '1s'",
}


@pytest.fixture(scope="module")
def database(django_db_blocker: DjangoDbBlocker) -> Iterator[Database]:
    with contextlib.ExitStack() as stack:
        with django_db_blocker.unblock():
            try:
                running = stack.enter_context(outages.database(outages.kind()))
            except servers.Missing as missing:
                pytest.skip(str(missing))
        yield running


@pytest.fixture(scope="module")
def site(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("outage")
    with live.running(directory, {}, database.url) as running:
        yield running


@pytest.fixture
def client(site: Site) -> Iterator[httpx2.Client]:
    with site.client() as client:
        yield client


@pytest.fixture
def same_processes(site: Site) -> Iterator[None]:
    """Nobody dies of an outage, and nobody is replaced."""
    wait_for(lambda: len(family(site.processes["cluster"].pid)) >= 6, "the cluster is complete")
    before = {name: family(process.pid) for name, process in site.processes.items()}
    yield
    after = {name: family(process.pid) for name, process in site.processes.items()}
    assert after == before, site.log()


@pytest.fixture
def project(client: httpx2.Client) -> str:
    return new_project(client)


def new_project(client: httpx2.Client) -> str:
    return str(client.post("/api/projects", json={"title": "听雨楼"}).json()["id"])


def slow_tasks(client: httpx2.Client, project: str) -> list[int]:
    """One for each worker: of two novels, for the chapters of one follow each other."""
    novels = (project, new_project(client))
    return [task_of(client, novel, slow_text(n)) for n, novel in enumerate(novels)]


@pytest.mark.usefixtures("same_processes")
def test_what_ran_and_what_waited_is_completed_once_when_a_killed_server_is_back(
    site: Site, client: httpx2.Client, project: str, database: Database
) -> None:
    site.brake.touch()
    tasks = slow_tasks(client, project)
    tasks += [task_of(client, project, STORY) for _ in range(4)]
    for task_id in tasks[:2]:
        wait_for_task(client, task_id, "processing")
    with site.socket(subprotocols=["arboris.v1"]) as browser:
        assert frame_of(browser)["type"] == "state"  # all that was before is read
        log = site.directory / "cluster.log"
        seen = len(log.read_text())
        asleep = wait_for(lambda: sleep_with_leases_over(site, database), "all sleep")
        assert database.server.kill()
        kill(asleep, signal.SIGCONT)
        site.brake.unlink()  # what runs is done while the server is away, and has to wait with it
        check_answers_of_an_outage(site, client, project)
        for said in ("steward: tries again", "the database is away, tries again"):
            wait_for(lambda: log.read_text()[seen:].count(said) >= 2, said)  # noqa: B023
        database.start()  # with leases that are over, and holders that could not renew them
        assert client.get(TASKS).status_code == 200
        tasks.append(task_of(client, project, STORY))
        for task_id in tasks:
            wait_for_task(client, task_id)
        told = heard(browser, len(tasks))
    assert sorted(told) == sorted(tasks)
    check_done_once(site, client, tasks)
    assert [len(client.get(f"{TASKS}/{one}").json()["attempts"]) for one in tasks[:2]] == [1, 1]
    wait_for(lambda: client.get("/readyz").status_code == 200, "it is ready again")


def sleep_with_leases_over(site: Site, database: Database) -> list[int]:
    """The cluster's processes, stopped, and the leases of both workers over, as after a long
    outage; none where one was stopped in the middle of a write."""
    asleep = kill(family(site.processes["cluster"].pid), signal.SIGSTOP)
    try:
        with database.cursor() as cursor:
            cursor.execute(IMPATIENT[database.vendor])
            cursor.execute(
                "UPDATE pending_analysis SET lease_expires_at = '2000-01-01 00:00:00'"
                " WHERE status = 'processing'"
            )
            assert cursor.rowcount == 2
    except OperationalError:
        kill(asleep, signal.SIGCONT)
        return []
    return asleep


def check_answers_of_an_outage(site: Site, client: httpx2.Client, project: str) -> None:
    for answer in (client.get("/api/projects"), post(client, project, STORY)):
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["reasons"][0].startswith("database: ")
    with site.client("") as visitor:  # a page, with a session that cannot be looked up
        page = visitor.get("/", headers={"Cookie": f"sessionid={'a' * 32}"})
    assert (page.status_code, page.headers.get("Retry-After")) == (503, "5")
    assert "Set-Cookie" not in page.headers  # nobody is signed out by it


def heard(browser: Any, count: int) -> list[int]:
    """The tasks that the socket tells of."""
    told: list[int] = []
    while len(told) < count:
        frame = frame_of(browser)
        if frame["type"] == "notification":
            told.append(frame["data"]["pending_analysis_id"])
    return told


def frame_of(browser: Any) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(browser.recv(timeout=PATIENCE_SECONDS))
    return frame


@pytest.mark.usefixtures("same_processes")
def test_a_server_that_is_killed_again_and_again_loses_nothing_of_a_stream(
    site: Site, client: httpx2.Client, project: str, database: Database
) -> None:
    with stream(site, client, project) as running:
        for n in range(1, OUTAGES + 1):
            running.wait_for(4 * n)  # each time in the middle of work
            assert database.server.kill()
            database.start()


@pytest.mark.usefixtures("same_processes")
def test_connections_that_are_cut_again_and_again_lose_nothing_of_a_stream(
    site: Site, client: httpx2.Client, project: str, database: Database
) -> None:
    cut = 0
    with stream(site, client, project) as running:
        for n in range(1, 2 * OUTAGES + 1):
            running.wait_for(3 * n)
            cut += database.cut_all()
    assert cut >= 2 * OUTAGES


@pytest.mark.usefixtures("same_processes")
def test_a_server_that_is_read_only_for_a_while_is_read_and_waited_for(
    site: Site, client: httpx2.Client, project: str, database: Database
) -> None:
    site.brake.touch()
    tasks = slow_tasks(client, project)
    for task_id in tasks:
        wait_for_task(client, task_id, "processing")
    tasks.append(task_of(client, project, STORY))
    saved = len(client.get(f"/api/projects/{project}/chapters").json())
    log = site.directory / "cluster.log"
    seen = len(log.read_text())
    database.set_read_only(True)
    try:
        refused = wait_for(lambda: refusal(client, project), "writes are refused")
        assert refused is not None
        assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
        assert refused.headers["Retry-After"] == "5"
        chapters = client.get(f"/api/projects/{project}/chapters")
        assert (chapters.status_code, len(chapters.json())) == (200, saved)
        assert client.get(f"{TASKS}/{tasks[0]}").json()["status"] == "processing"
        assert client.get("/healthz").status_code == 200
        site.brake.unlink()  # both have their results now, and nowhere to put them
        wait_for(
            lambda: log.read_text()[seen:].count("the database is away, tries again") >= 2,
            "both workers wait with their results",
        )
    finally:
        database.set_read_only(False)
        site.brake.unlink(missing_ok=True)
    for task_id in tasks:
        wait_for_task(client, task_id)
    check_done_once(site, client, tasks)
    assert len(client.get(f"/api/projects/{project}/chapters").json()) == saved


@pytest.mark.postgresql
@pytest.mark.process  # the database's server
def test_a_server_that_falls_silent_is_given_up_within_the_read_timeout(
    database: Database,
) -> None:
    limits = "tcp_user_timeout=1000" if database.vendor == "postgresql" else "read_timeout=1"
    config = database_from_url(f"{database.url}&{limits}")
    connection: Any = ConnectionHandler({"default": config})["default"]
    if database.vendor == "postgresql":  # the kernel asks whether the server is there still
        connection.ensure_connection()
        told = connection.connection.info.get_parameters()
        assert told["tcp_user_timeout"] == "1000" and int(told["keepalives_idle"]) > 0
    else:
        with pytest.raises(OperationalError) as caught, connection.cursor() as cursor:
            cursor.execute("SELECT SLEEP(3600)")
        assert is_away(caught.value)
    connection.close()


def refusal(client: httpx2.Client, project: str) -> httpx2.Response | None:
    """The answer to a save that is refused; a server may need a moment to become read-only."""
    answer = client.patch(f"/api/projects/{project}", json={"title": "听雨楼"})
    return answer if answer.status_code != 200 else None


@pytest.mark.postgresql
def test_a_server_that_is_cut_off_is_given_up_within_the_connect_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and says nothing
        address = f"u@127.0.0.1:{silent.getsockname()[1]}/arboris?connect_timeout=2"
        config = database_from_url(f"{outages.kind()}://{address}")
        with pytest.raises(OperationalError) as caught:
            ConnectionHandler({"default": config})["default"].ensure_connection()
    assert is_away(caught.value)
