"""Run as a module beside the site of ``tests.bench.triage``: its analyses, and who looks at them.

``TASKS FAILED WAITING``: so many failed for one cause and a hundredth as many for others, so many
of one writer wait and are paused; the others are completed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")
    django.setup()  # what follows reads the settings

from django.contrib.auth.models import Group, User
from django.utils import timezone

from analysis.errors import fingerprint
from analysis.models import PendingAnalysis, QueuePause, Status
from arboris.errors import ServiceError
from arboris.llm.errors import BadAnswer, KeyRefused, TimedOut
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from tests.browser.triage import STAFF
from tests.factories import LONG_ENOUGH
from tests.live_setup import PASSWORD

WRITERS, BATCH = 200, 2_000
SUPPORT = "support"
ENDPOINT = "model.example:443"


def main(tasks: int, failed: int, waiting: int) -> None:
    User.objects.filter(username=STAFF).update(is_staff=True, is_superuser=True)
    support = User.objects.create_user(SUPPORT, password=PASSWORD, is_staff=True)
    support.groups.add(Group.objects.get(name="Support (read)"))
    users = [User(username=f"writer{n}") for n in range(WRITERS)] + [User(username="idle")]
    users = User.objects.bulk_create(users)
    novels = NovelProject.objects.bulk_create(
        NovelProject(owner=user, title=f"Novel of {user.username}") for user in users
    )
    QueuePause.objects.create(user=users[-1], reason="moving", paused_at=timezone.now())
    complete(tasks - failed - failed // 100 - waiting, novels[:-1])
    fail(failed, novels[:-1])
    for versions in chapters(waiting, novels[-1:]):
        PendingAnalysis.objects.bulk_create(
            task(version, Status.PENDING, timedelta(hours=1)) for version in versions
        )


def complete(number: int, novels: list[NovelProject]) -> None:
    """Over the last twenty days, many of one chapter."""
    for versions in chapters(min(number, BATCH), novels):
        for start in range(0, number, BATCH):
            ago = timedelta(days=20 * (1 - start / number), hours=4)
            PendingAnalysis.objects.bulk_create(
                task(versions[n % len(versions)], Status.COMPLETED, ago)
                for n in range(min(BATCH, number - start))
            )


def fail(number: int, novels: list[NovelProject]) -> None:
    """Of one cause, every two seconds one; then a hundredth as many of two others."""
    refused = failure(KeyRefused("the endpoint refused: HTTP 401, invalid_api_key"))
    others = [failure(BadAnswer("the answer is no JSON")), failure(TimedOut("no answer in time"))]
    place = 0
    for versions in chapters(number + number // 100, novels, first=1_000):
        rows = []
        for version in versions:
            said = refused if place < number else others[place % 2]
            ago = timedelta(seconds=2 * (number - place) + 600)
            rows.append(task(version, Status.FAILED, ago, **said))
            place += 1
        PendingAnalysis.objects.bulk_create(rows)


def failure(error: ServiceError) -> dict[str, str]:
    return {
        "error_type": error.code,
        "error_message": str(error),
        "error_fingerprint": fingerprint(error, ENDPOINT),
    }


def chapters(count: int, of: list[NovelProject], first: int = 1) -> Iterator[list[ChapterVersion]]:
    """So many new ones, shared out among the novels, in batches."""
    for start in range(0, count, BATCH):
        made = Chapter.objects.bulk_create(
            Chapter(project=of[n % len(of)], chapter_number=n // len(of) + first, version=1)
            for n in range(start, min(start + BATCH, count))
        )
        yield ChapterVersion.objects.bulk_create(
            ChapterVersion(chapter=chapter, number=1, content=LONG_ENOUGH) for chapter in made
        )


def task(version: ChapterVersion, status: Status, ago: timedelta, **fields: Any) -> PendingAnalysis:
    """Queued, and ended if it has, so long ago."""
    chapter, at = version.chapter, timezone.now() - ago
    ended = status not in (Status.PENDING, Status.PROCESSING)
    return PendingAnalysis(
        chapter=chapter, version=version, project=chapter.project,
        user_id=chapter.project.owner_id, status=status, endpoint=ENDPOINT,
        active_chapter=None if ended else chapter.pk, attempt_count=int(ended),
        created_at=at, due_at=at, completed_at=at if ended else None, **fields,
    )  # fmt: skip


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
