"""Writers' accounts, and what must not be reached through the admin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import ngettext
from django_q.models import Failure, OrmQ, Schedule, Success

from arboris.novels.models import NovelProject

# django-q2's pages call any function on the workers, by its dotted path: whoever may add a
# scheduled task there runs code.
for model in (Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(model):  # OrmQ is there only with the ORM broker
        admin.site.unregister(model)
admin.site.unregister(User)


@admin.register(User)
class WriterAdmin(UserAdmin):  # type: ignore[type-arg]
    def get_deleted_objects(
        self, objs: Iterable[Any] | QuerySet[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Numbers only. Django would list every row that goes along, and show the tokens."""
        writers = list(objs)
        novels = NovelProject.everything.filter(owner__in=writers).count()
        text = ngettext(
            "%(names)s with %(count)d novel and all that belongs to it",
            "%(names)s with %(count)d novels and all that belongs to them",
            novels,
        )
        names = ", ".join(str(writer) for writer in writers)
        counts = {
            str(User._meta.verbose_name_plural): len(writers),
            str(NovelProject._meta.verbose_name_plural): novels,
        }
        return [text % {"names": names, "count": novels}], counts, set(), []
