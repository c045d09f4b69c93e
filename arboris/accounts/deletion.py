"""Deleting an account with all that belongs to it."""

from __future__ import annotations

from django.contrib.auth.models import User

from arboris.db import locked
from arboris.novels import services as novels
from arboris.novels.models import NovelProject


def delete_account(user_id: int) -> None:
    """Delete the user, all novels (also those in the trash), notifications, tokens and sessions.

    Running analyses find nothing to write to, as where a novel is deleted.
    """

    def work() -> None:
        # In the order of their keys, as every lock: whoever saves a chapter has to wait.
        list(locked(NovelProject.everything.filter(owner_id=user_id)).order_by("pk"))
        User.objects.filter(pk=user_id).delete()

    novels.removing(work)
