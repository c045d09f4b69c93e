"""Rows and texts that many tests start from."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from rest_framework.test import APIClient

from analysis import queue
from analysis.models import PendingAnalysis
from analysis.queue import Claim
from arboris.db import db_now, in_transaction
from arboris.novels import services as novels
from arboris.novels.models import Chapter, NovelProject
from arboris.tokens import service as tokens

LONG_ENOUGH = "沈砚秋推开听雨楼的木门，檐下的铜铃响了三声。" * 12  # over min_chapter_length
_names = itertools.count(1)


class JsonClient(APIClient):
    """An API client that speaks JSON unless told otherwise."""

    default_format = "json"


def make_user(name: str = "", **fields: Any) -> User:
    """A user without a password: tests sign in by token or ``force_login``."""
    return User.objects.create_user(name or f"user{next(_names)}", **fields)


def client_of(user: User) -> JsonClient:
    return JsonClient(HTTP_AUTHORIZATION=f"Token {tokens.issue(user)}")


def make_project(owner: User, title: str = "听雨楼", **fields: Any) -> NovelProject:
    return NovelProject.objects.create(owner=owner, title=title, **fields)


def make_chapter(project: NovelProject, content: str = LONG_ENOUGH, **fields: Any) -> Chapter:
    def work() -> Chapter:
        locked = novels.lock_project(project.pk)
        draft = novels.ChapterText.of(content)
        return novels.add_chapter(locked, draft, **fields)[0]

    return in_transaction(work)


def queue_chapter(
    project: NovelProject, content: str = LONG_ENOUGH, *, priority: int = 5, **config: Any
) -> PendingAnalysis:
    """A new chapter with its pending analysis."""

    def work() -> PendingAnalysis:
        chapter = make_chapter(project, content)
        return queue.enqueue(chapter, chapter.current, priority=priority, config=config)

    return in_transaction(work)


def claim_next(worker: str = "host:1") -> Claim:
    """Claim, in a test that knows that something is due."""
    claim = queue.claim(worker)
    assert claim is not None
    return claim


def finish_and_claim(claim: Claim, worker: str = "host:1") -> Claim | None:
    """As a worker that goes on to the next task."""
    in_transaction(lambda: queue.finish(claim, {}, {}))
    return queue.claim(worker, claim.endpoint)


def expire_lease(task_id: int) -> None:
    """As if the worker had been silent for longer than its lease."""
    PendingAnalysis.objects.filter(pk=task_id).update(
        lease_expires_at=db_now() - timedelta(seconds=1)
    )
