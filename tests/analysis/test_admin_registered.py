"""What the admin lets staff reach, and what a row written behind its back can start."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.cluster import Sentinel
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule

from arboris.novels.models import NovelProject
from arboris.tokens import service as tokens
from tests.analysis.test_admin import signed_in
from tests.factories import make_user, queue_chapter

# Every other model needs a decision: may staff who see its page read or run what they must not?
OTHER_APPS = {"auth.Group", "auth.User"}
OURS = {"accounts", "analysis", "bible", "llm", "notifications", "novels"}


@pytest.fixture
def staff(db: None) -> Client:
    return signed_in(make_user("boss", is_staff=True, is_superuser=True))


def test_other_apps_have_no_page_but_accounts() -> None:
    others = {model._meta for model in admin.site._registry if model._meta.app_label not in OURS}
    assert {meta.label for meta in others} == OTHER_APPS


@pytest.mark.parametrize("model", ["schedule", "success", "failure", "ormq"])
def test_django_q_has_no_page(staff: Client, model: str) -> None:
    for page in ("", "add/"):
        assert staff.get(f"/admin/django_q/{model}/{page}").status_code == 404


def test_tokens_are_not_shown(staff: Client, project: NovelProject) -> None:
    queue_chapter(project)
    key = tokens.issue(project.owner)
    assert staff.get("/admin/tokens/apitoken/").status_code == 404
    url = f"/admin/auth/user/{project.owner_id}/"
    for page in ("change/", "delete/", "history/"):
        assert key not in staff.get(url + page).content.decode()
    chosen = {"action": "delete_selected", "_selected_action": [project.owner_id]}
    asked = staff.post("/admin/auth/user/", chosen).content.decode()
    assert "writer with 1 novel and all that belongs to it" in asked
    assert key not in asked


@pytest.mark.databases
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("enabled", [False, True], ids=["ours", "django-q2's own"])
def test_a_row_of_the_scheduler_is_not_run(enabled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """``enabled`` shows that the guard would run it, if the settings did not forbid it."""
    assert Conf.SCHEDULER is False
    monkeypatch.setattr(Conf, "SCHEDULER", enabled)
    monkeypatch.setattr(Conf, "GUARD_CYCLE", 30)  # seconds: the scheduler's turn in the first round
    past = timezone.now() - timedelta(days=1)
    Schedule.objects.create(func="os.system", args="'true'", next_run=past, repeats=1)
    happened = SimpleNamespace(is_set=lambda: True, wait=lambda _: True, set=lambda: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)  # it would ignore Ctrl-C from here on
    sentinel = Sentinel(happened, happened, uuid4(), broker=get_broker(), start=False)
    sentinel.monitor = sentinel.pusher = SimpleNamespace(is_alive=lambda: True, pid=1)
    monkeypatch.setattr(sentinel, "stop", lambda: None)
    sentinel.guard()
    assert OrmQ.objects.count() == enabled
