"""The admin's first page: its figures and the lists they count, what is paused, the history."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analysis import queue
from analysis.models import EndpointState, PendingAnalysis, QueueControl, Status, WorkerHeartbeat
from analysis.overview import samples, views
from analysis.overview.models import QueueSample
from analysis.queue import PauseTarget
from arboris.db import db_now
from arboris.llm.accounting import budget, call_log
from arboris.llm.models import BudgetStop, ModelCall
from arboris.novels.models import NovelProject
from tests.analysis.operators import ended, failed_task, novel_of
from tests.analysis.test_admin import signed_in
from tests.factories import claim_next, make_user, queue_chapter

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
URL = "/admin/overview"
HOUR = timedelta(hours=1)
DAYS = timedelta(days=3)  # as they are told however slow the machine is: "3d"


@pytest.fixture
def staff() -> Client:
    return signed_in(make_user("boss", is_staff=True, is_superuser=True))


def in_group(name: str) -> Client:
    user = make_user(is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    return signed_in(user)


def told(client: Client, **query: str) -> dict[str, Any]:
    cache.clear()  # all that ask within two seconds are told the same
    answer = client.get(URL, query)
    assert answer.status_code == 200, answer.content
    document: dict[str, Any] = answer.json()
    return document


def listed(client: Client, link: str) -> int:
    """How many rows the list behind a link has."""
    answer = client.get(link)
    assert answer.status_code == 200, link
    assert "e" not in answer.wsgi_request.GET  # Django's answer to a filter it does not know
    return int(answer.context["cl"].result_count)


def busy_queue(project: NovelProject) -> None:
    """Some of every kind, in every window."""
    for _ in range(2):
        failed_task(project)
    for status, days in (("completed", 0.5), ("completed", 3), ("cancelled", 0.01), ("failed", 9)):
        ended(project, Status(status), days)
    PendingAnalysis.objects.filter(status="completed").update(duration_seconds=3)
    waiting = queue_chapter(novel_of("lin"), priority=3)
    PendingAnalysis.objects.filter(pk=waiting.pk).update(created_at=db_now() - DAYS)
    later = queue_chapter(novel_of("may"))
    PendingAnalysis.objects.filter(pk=later.pk).update(due_at=db_now() + HOUR)
    queue_chapter(novel_of("wu"), priority=9)
    claim = claim_next()
    WorkerHeartbeat.objects.create(
        worker=claim.worker, started_at=db_now() - DAYS, seen_at=db_now()
    )


def test_each_figure_is_what_its_list_counts(staff: Client, project: NovelProject) -> None:
    busy_queue(project)
    page = staff.get("/admin/").content.decode()
    cells = told(staff)["cells"]
    numbers = {name: cells[name]["text"] for name in ("pending", "due", "processing", "failed")}
    assert numbers == {"pending": "2", "due": "1", "processing": "1", "failed": "3"}
    windows = ("1h", "24h", "7d")
    assert [cells[f"0-{window}"]["text"] for window in windows] == ["0", "1", "2"]  # completed
    assert [cells[f"1-{window}"]["text"] for window in windows] == ["2", "2", "2"]  # failed
    assert [cells[f"2-{window}"]["text"] for window in windows] == ["1", "1", "1"]  # cancelled
    assert [cells[f"3-{window}"]["text"] for window in windows] == ["0.0 %", "33.3 %", "50.0 %"]
    assert [cells[f"4-{window}"]["text"] for window in windows] == ["–", "3.00 s", "3.00 s"]
    counting = [cells[name] for name in numbers]
    counting += [cells[f"{row}-{window}"] for row in range(3) for window in windows]
    for cell in counting:
        assert str(listed(staff, cell["href"])) == cell["text"], cell
    for name, cell in cells.items():  # the page shows the same before its script has run
        shown = re.search(rf'data-cell="{name}">\s*(?:<a href="([^"]*)">)?([^<]*)<', page)
        assert shown is not None and shown[2].strip() == cell["text"], name
        assert urlsplit(shown[1] or "").path == urlsplit(cell["href"]).path


def test_the_oldest_due_and_what_workers_run(staff: Client, project: NovelProject) -> None:
    busy_queue(project)
    running = PendingAnalysis.objects.select_related("project").get(status="processing")
    seen = told(staff)
    oldest = PendingAnalysis.objects.filter(status="pending").earliest("created_at")
    assert seen["cells"]["oldest"]["text"] == "3d"
    assert f"/{oldest.pk}/" in seen["cells"]["oldest"]["href"]
    ((worker, runs, time, _seen, up),) = seen["rows"]["workers"]
    assert (worker["text"], up["text"]) == (running.worker, "3d")
    assert runs["text"] == f"{running.pk}: {running.project.title} · 1"
    assert staff.get(runs["href"]).status_code == 200
    assert re.fullmatch(r"\d+[sm]", time["text"])


def test_the_history_grows_with_the_sweep_and_not_beyond(
    staff: Client, project: NovelProject
) -> None:
    # Later than all that is queued here.
    now = (timezone.now() + 2 * HOUR).replace(minute=30, second=0, microsecond=0)
    assert samples.take(now - HOUR) == 3
    queue_chapter(project)
    assert samples.take(now - HOUR) == 0  # that step has its sample
    failed_task(project)
    assert samples.take(now - timedelta(minutes=1)) == 3
    newest = QueueSample.objects.filter(step=60).latest("slot")
    assert (newest.pending, newest.due, newest.failed) == (1, 1, 1)
    for days in range(30):
        samples.take(now + timedelta(days=days))
    kept = {step: QueueSample.objects.filter(step=step).count() for step in samples.KEPT}
    assert kept == {60: 1, 600: 2, 3600: 9}
    QueueControl.objects.update(swept_at=None)
    QueueSample.objects.all().delete()
    queue.sweep()
    assert QueueSample.objects.count() == 3
    failed_task(project)
    history = told(staff, window="24h")["history"]
    assert [point["pending"] for point in history] == [1]


def test_what_was_spent_counts_from_the_sample(staff: Client) -> None:
    assert told(staff)["cells"]["6-1h"] == {"text": "–", "href": ""}
    spend(100)
    samples.take(db_now())
    spend(1_000, 2_000)
    cells = told(staff)["cells"]
    assert (cells["6-1h"]["text"], cells["7-1h"]["text"]) == ("6,000", "3.0000")
    assert listed(staff, cells["6-1h"]["href"]) == 2


def spend(*tokens: int) -> None:
    """Calls that have ended just now: so many tokens for what was asked, and for the answer."""
    for number in tokens:
        call_log.write(
            ModelCall(
                call_id=uuid.uuid4(),
                created_at=datetime.now(UTC),
                endpoint="api.example.com",
                model="large",
                purpose="generation",
                prompt_tokens=number,
                completion_tokens=number,
                cost=Decimal(number) / 1000,
                outcome="ok",
                seconds=1.5,
            )
        )


def test_what_is_paused_stands_on_every_page(staff: Client, project: NovelProject) -> None:
    assert "paused-banner" not in staff.get("/admin/").content.decode()
    queue.pause("the disk is full", by="ops@db1")
    queue.pause("an invoice is open", PauseTarget(project_id=project.pk), by="lin")
    now = db_now()
    EndpointState.objects.create(
        name="api.example.com", paused_at=now, error_type="llm_key_refused"
    )
    BudgetStop.objects.create(
        month=budget.month_of(now).date(),
        user_id=project.owner_id,
        subject=f"writer:{project.owner_id}",
        budget=1,
        stopped_at=now,
    )
    for page in ("/admin/", "/admin/analysis/pendinganalysis/", "/admin/novels/novelproject/add/"):
        html = staff.get(page).content.decode()
        banner = html[html.index("paused-banner") : html.index("</section>")]
        for text in (
            *("The whole queue is paused.", "the disk is full", "ops@db1"),
            *("The endpoint api.example.com", "llm_key_refused", "Arboris itself"),
            *("The novel “听雨楼”", "an invoice is open", "lin"),
            "The budget of writer",
        ):
            assert text in banner, (page, text)
        links = re.findall(r'href="([^"]+)"', banner)
        assert len(links) == 4
        for link in links:
            assert staff.get(link).status_code == 200
    rows = told(staff)["rows"]["paused"]
    assert rows[0][1]["text"] == "the disk is full"
    queue.resume()
    assert "The whole queue is paused" not in staff.get("/admin/").content.decode()


def test_the_banner_costs_one_query(staff: Client) -> None:
    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            staff.get("/admin/analysis/statustally/")
        return [query["sql"] for query in captured]

    queue.pause("moving")
    queries()  # whatever is looked up once per process
    asked = [sql for sql in queries() if "analysis_queuecontrol" in sql]
    assert len(asked) == 1 and asked[0].count("UNION ALL") == 3


def test_all_who_poll_share_one_look(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "SHARED_SECONDS", 600)  # however slow the machine is
    told(staff)
    with CaptureQueriesContext(connection) as captured:
        assert staff.get(URL).status_code == 200
    assert not [query for query in captured if "pending_analysis" in query["sql"]]


def test_who_sees_the_overview(client: Client, project: NovelProject) -> None:
    queue.pause("moving")
    assert client.get(URL).status_code == 401
    assert signed_in(make_user()).get(URL).status_code == 403
    nobody = signed_in(make_user(is_staff=True))
    assert nobody.get(URL).status_code == 403
    page = nobody.get("/admin/").content.decode()
    assert "overview-now" not in page and "paused-banner" not in page
    support, operator = in_group("Support (read)"), in_group("Operator")
    for member, resumes in ((support, 0), (operator, 1)):
        assert "overview-now" in member.get("/admin/").content.decode()
        (row,) = told(member)["rows"]["paused"]
        assert bool(row[-1]["href"]) == resumes
    assert support.post(URL).status_code == 405


def test_the_page_keeps_its_list_of_models(staff: Client) -> None:
    page = staff.get("/admin/").content.decode()
    assert page.index("overview-now") < page.index('href="/admin/analysis/pendinganalysis/"')
    assert staff.get("/admin/", {"window": "7d"}).status_code == 200
    assert told(staff, window="nonsense")["history"] == []
