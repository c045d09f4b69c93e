"""Run as a module beside the site of ``tests.bench.triage``: its analyses, and who looks at them.

``TASKS FAILED WAITING``: so many failed for one cause and a hundredth as many for others, so many
of one writer wait and are paused; the others are completed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import django

WRITERS, BATCH = 200, 2_000


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")
    django.setup()

    from django.contrib.auth.models import User

    from analysis.errors import fingerprint
    from analysis.models import PendingAnalysis, QueuePause, Status
    from arboris.db import db_now
    from arboris.errors import ServiceError
    from arboris.llm.errors import BadAnswer, KeyRefused, TimedOut
    from arboris.novels.models import Chapter, ChapterVersion, NovelProject
    from tests.browser.triage import STAFF
    from tests.factories import LONG_ENOUGH

    tasks, failed, waiting = map(int, sys.argv[1:])
    now = db_now()
    User.objects.filter(username=STAFF).update(is_staff=True, is_superuser=True)
    users = [User(username=f"writer{n}") for n in range(WRITERS)] + [User(username="idle")]
    users = User.objects.bulk_create(users)
    novels = NovelProject.objects.bulk_create(
        NovelProject(owner=user, title=f"Novel of {user.username}") for user in users
    )
    QueuePause.objects.create(user=users[-1], reason="moving", paused_at=now)

    def chapters(
        count: int, of: list[NovelProject], first: int = 1
    ) -> Iterator[list[ChapterVersion]]:
        for start in range(0, count, BATCH):
            made = Chapter.objects.bulk_create(
                Chapter(project=of[n % len(of)], chapter_number=n // len(of) + first, version=1)
                for n in range(start, min(start + BATCH, count))
            )
            yield ChapterVersion.objects.bulk_create(
                ChapterVersion(chapter=chapter, number=1, content=LONG_ENOUGH) for chapter in made
            )

    def task(version: ChapterVersion, status: Status, ago: timedelta, **fields: Any) -> Any:
        chapter = version.chapter
        ended = status not in (Status.PENDING, Status.PROCESSING)
        times: dict[str, datetime | None] = {"created_at": now - ago, "due_at": now - ago}
        times["completed_at"] = now - ago if ended else None
        return PendingAnalysis(
            chapter=chapter, version=version, project=chapter.project,
            user_id=chapter.project.owner_id, status=status, endpoint="model.example:443",
            active_chapter=None if ended else chapter.pk, attempt_count=int(ended),
            **times, **fields,
        )  # fmt: skip

    def failure(error: ServiceError) -> dict[str, str]:
        return {
            "error_type": error.code,
            "error_message": str(error),
            "error_fingerprint": fingerprint(error, "model.example:443"),
        }

    refused = failure(KeyRefused("the endpoint refused: HTTP 401, invalid_api_key"))
    others = [failure(BadAnswer("the answer is no JSON")), failure(TimedOut("no answer in time"))]
    ended = tasks - failed - failed // 100 - waiting
    for versions in chapters(min(ended, BATCH), novels[:-1]):
        for start in range(0, ended, BATCH):
            day = timedelta(days=20 * (1 - start / ended), hours=4)
            PendingAnalysis.objects.bulk_create(
                task(versions[n % len(versions)], Status.COMPLETED, day)
                for n in range(min(BATCH, ended - start))
            )
    place = 0
    for versions in chapters(failed + failed // 100, novels[:-1], first=1_000):
        rows = []
        for version in versions:
            said = refused if place < failed else others[place % 2]
            ago = timedelta(seconds=2 * (failed - place) + 600)
            rows.append(task(version, Status.FAILED, ago, **said))
            place += 1
        PendingAnalysis.objects.bulk_create(rows)
    for versions in chapters(waiting, novels[-1:]):
        PendingAnalysis.objects.bulk_create(
            task(version, Status.PENDING, timedelta(hours=1)) for version in versions
        )


if __name__ == "__main__":
    main()
