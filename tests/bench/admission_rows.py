"""Run as a module beside a live site: ``accounts N`` makes writers with a novel, and tells them as
JSON; ``publish N`` writes a burst of notifications for those on standard input; ``staff 1`` signs a
superuser in."""

from __future__ import annotations

import json
import os
import sys
import uuid
from typing import Any

import django


def accounts(number: int) -> None:
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User

    from arboris.tokens import service as tokens
    from tests.factories import make_chapter, make_project

    password = make_password("lantern-under-eaves-42")  # once: it is slow on purpose
    made: list[dict[str, Any]] = []
    for index in range(number):
        user = User.objects.create(username=f"bench{index}", password=password)
        project = make_project(user)
        chapter = make_chapter(project)
        row = {"user": user.pk, "token": tokens.issue(user), "project": str(project.pk)}
        made.append(row | {"chapter": chapter.pk})
    json.dump(made, sys.stdout)


def staff(_number: int) -> None:
    """The cookie of a superuser's session."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    json.dump(client.cookies["sessionid"].value, sys.stdout)


def publish(number: int) -> None:
    """In turns, each notification in a transaction of its own, as workers do."""
    from django.db import transaction

    from notifications import outbox

    writers = json.load(sys.stdin)
    for index in range(number):
        one = writers[index % len(writers)]
        with transaction.atomic():
            outbox.publish(
                "completed",
                data={},
                user_id=one["user"],
                task_id=None,
                project_id=uuid.UUID(one["project"]),
                chapter_id=one["chapter"],
                chapter_number=1,
            )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")
    django.setup()
    {"accounts": accounts, "publish": publish, "staff": staff}[sys.argv[1]](int(sys.argv[2]))
