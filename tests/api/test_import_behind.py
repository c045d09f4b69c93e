"""Imports that workers do (``Prefer: respond-async``): their progress, end and loss."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django_q.models import OrmQ
from pytest_django import Settings

from analysis.models import PendingAnalysis
from analysis.worker import loop, steward
from analysis.worker.steward import Steward
from arboris.db import db_now
from arboris.novels import import_jobs
from arboris.novels.models import Chapter, ImportJob, NovelProject
from arboris.workspace.importing import behind, service
from tests.api.test_import import NOVEL, upload
from tests.factories import JsonClient
from tests.waiting import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.databases]
ASYNC = {"Prefer": "respond-async"}


@pytest.fixture(autouse=True)
def imports_alone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Steward:
    """The worker of these tests analyses nothing; returns its steward, which has no thread."""
    settings.ARBORIS_ANALYZER = "none"
    steward = Steward()
    monkeypatch.setattr(behind, "current_steward", lambda: steward)
    return steward


def send(
    api: JsonClient,
    project: NovelProject,
    data: bytes = NOVEL.encode(),
    headers: Mapping[str, str] = ASYNC,
) -> Any:
    body = {"file": SimpleUploadedFile("novel.txt", data)}
    url = f"/api/projects/{project.pk}/import"
    return api.post(url, body, format="multipart", headers={**ASYNC, **headers})


def work() -> None:
    while behind.import_behind():
        pass


def test_a_worker_imports_and_the_writer_sees_how_far_it_is(
    api: JsonClient, foreign: JsonClient, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behind, "TOLD_EVERY", 0.0)
    answer, again = (send(api, project, headers={"Idempotency-Key": "once"}) for _ in range(2))
    assert answer.status_code == again.status_code == 202, answer.content
    assert answer.json() == again.json()
    for name in ("Location", "Preference-Applied"):
        assert answer[name] == again[name]
    assert answer["Preference-Applied"] == "respond-async"
    where = answer["Location"]
    assert api.get(where).json() == answer.json()
    assert answer.json()["state"] == "waiting"
    assert foreign.get(where).status_code == 404
    assert OrmQ.objects.exists()  # a worker is called

    seen = []
    told = import_jobs.tell

    def tell(job: ImportJob, done: int, total: int) -> None:
        told(job, done, total)
        seen.append(tuple(api.get(where).json()[name] for name in ("state", "done", "total")))
        assert api.get(f"/api/projects/{project.pk}/chapters").json() == []

    monkeypatch.setattr(import_jobs, "tell", tell)
    work()
    assert seen == [("running", n, 3) for n in range(4)]
    end = api.get(where).json()
    assert (end["state"], end["done"], end["error"]) == ("done", 3, None)
    assert len(api.get(f"/api/projects/{project.pk}/chapters").json()) == 3
    assert PendingAnalysis.objects.filter(project=project, status="pending").count() == 3


def test_the_loop_of_a_worker_takes_imports_up(api: JsonClient, project: NovelProject) -> None:
    where = send(api, project)["Location"]
    loop.run_due()
    assert api.get(where).json()["state"] == "done"


def test_a_preview_is_agreed_to_once(api: JsonClient, project: NovelProject) -> None:
    url = f"/api/projects/{project.pk}/import"
    file = {"file": SimpleUploadedFile("novel.txt", NOVEL.encode())}
    found = api.post(f"{url}?preview=1", file, format="multipart").json()["upload"]
    wish = {"upload": found, "mode": "add", "analysis": "basic"}
    first, second = (api.post(url, wish, headers=ASYNC) for _ in range(2))
    assert first.status_code == second.status_code == 202
    assert first.json()["id"] == second.json()["id"]
    work()
    assert api.post(url, wish, headers=ASYNC).json()["code"] == "already_imported"
    assert Chapter.objects.filter(project=project).count() == 3
    assert not PendingAnalysis.objects.exists()  # ``analysis: basic``


def test_what_cannot_be_imported_says_why(api: JsonClient, project: NovelProject) -> None:
    assert send(api, project, b"").status_code == 400  # without a byte it is no job
    where = send(api, project, b"\n \n")["Location"]
    work()
    end = api.get(where).json()
    assert (end["state"], end["error"]["code"]) == ("failed", "empty")
    assert end["error"]["detail"]


def test_a_fault_of_ours_ends_the_import_and_changes_nothing(
    api: JsonClient, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("some fault")

    where = send(api, project)["Location"]
    monkeypatch.setattr(service.Job, "run", broken)
    work()
    end = api.get(where).json()
    assert (end["state"], end["error"]["code"]) == ("failed", "internal")
    assert "some fault" not in end["error"]["detail"]
    assert not Chapter.everything.exists()


def test_a_worker_that_stops_gives_it_back(
    api: JsonClient,
    project: NovelProject,
    imports_alone: Steward,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = send(api, project)["Location"]
    imports_alone.stopping.set()
    behind.import_behind()
    assert api.get(where).json()["state"] == "waiting"
    assert not Chapter.everything.exists()
    monkeypatch.setattr(behind, "current_steward", Steward)  # another worker
    work()
    assert api.get(where).json()["done"] == 3


def test_a_worker_that_was_taken_for_dead_changes_nothing(
    api: JsonClient, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = send(api, project)["Location"]
    prepare, ahead = service.Job.prepare, [True]

    def held_up(self: service.Job, advance: Any) -> None:
        """The first worker pauses before the chapters appear; another takes the job meanwhile."""
        prepare(self, advance)
        if ahead:
            ahead.clear()
            ImportJob.objects.update(seen_at=db_now() - timedelta(hours=1))
            assert behind.import_behind()

    monkeypatch.setattr(service.Job, "prepare", held_up)
    behind.import_behind()
    assert not ahead
    assert api.get(where).json()["state"] == "done"
    assert Chapter.everything.filter(project=project).count() == 3


@pytest.fixture
def with_its_thread(imports_alone: Steward, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(steward, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(steward, "HEARTBEAT_SECONDS", 0.01)
    imports_alone.start()
    yield
    imports_alone.stop()


@pytest.mark.usefixtures("with_its_thread")
def test_a_worker_that_parses_for_long_is_not_taken_for_dead(
    api: JsonClient, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = send(api, project)["Location"]
    parse = service.parse

    def long(*given: Any) -> Any:
        ImportJob.objects.update(seen_at=db_now() - timedelta(hours=1))
        wait_for(lambda: not import_jobs.waiting().exists(), "the steward tells that it lives")
        return parse(*given)

    monkeypatch.setattr(service, "parse", long)
    behind.import_behind()
    assert (api.get(where).json()["state"], ImportJob.objects.get().attempts) == ("done", 1)


def test_a_file_that_ends_its_workers_is_given_up(api: JsonClient, project: NovelProject) -> None:
    where = send(api, project)["Location"]
    for hours in (-1, 1, -1):  # the clock may have been set, too
        assert import_jobs.take() is not None  # and nothing more is heard of it
        ImportJob.objects.update(seen_at=db_now() + timedelta(hours=hours))
    work()
    assert api.get(where).json()["state"] == "failed"


def test_one_at_a_time_and_a_few_of_each_writer(api: JsonClient, project: NovelProject) -> None:
    for _ in range(import_jobs.PER_WRITER):
        assert send(api, project).status_code == 202
    refused = send(api, project)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_imports")
    assert import_jobs.take() is not None
    assert import_jobs.take() is None
    assert upload(api, project, NOVEL.encode()).status_code == 201  # without the wish as ever


def test_of_two_workers_that_look_at_once_one_has_an_import(
    api: JsonClient, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        assert send(api, project).status_code == 202
    faster: list[ImportJob | None] = []

    def uuid4() -> uuid.UUID:
        if not faster:  # between the look and the taking
            faster.append(None)
            faster.append(import_jobs.take())
        return uuid.uuid4()

    monkeypatch.setattr(import_jobs, "uuid", SimpleNamespace(uuid4=uuid4))
    assert import_jobs.take() is None
    assert faster[1] is not None
    assert ImportJob.objects.filter(state=ImportJob.State.RUNNING).count() == 1
