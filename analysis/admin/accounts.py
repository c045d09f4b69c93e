"""Writers' accounts, and what must not be reached through the admin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_q.models import Failure, OrmQ, Schedule, Success

from arboris.admin_base import BoundedAdmin
from arboris.admin_lists import LOOK
from arboris.admin_ways import Sought, Way, beginning, numbered, sought
from arboris.novels.models import NovelProject

# django-q2's pages call any function on the workers, by its dotted path: whoever may add a
# scheduled task there runs code.
for model in (Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(model):  # OrmQ is there only with the ORM broker
        admin.site.unregister(model)
admin.site.unregister((Group, User))


@admin.register(Group)
class RoleAdmin(BoundedAdmin[Group], GroupAdmin):
    search_fields = ()
    ordering = ("name",)


@admin.register(User)
class WriterAdmin(BoundedAdmin[User], UserAdmin):  # type: ignore[type-arg]
    search_fields = ("username", "email")  # shows the search box; seek does the search
    search_help_text = _("Number, whole e-mail address, or beginning of the name")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return dict(UserAdmin.get_actions(self, request))  # accounts may be deleted together

    def way(self, params: Mapping[str, Any]) -> Way:
        group = str(params.get("groups__id__exact", ""))
        if group.isascii() and group.isdigit():
            return Way(Q(groups=int(group)), (), frozenset({"groups__id__exact"}))
        return super().way(params)

    def seek(self, term: str) -> list[Sought]:
        addressed = EmailAddress.objects.filter(email=term.lower()).values_list("user", flat=True)
        return [
            *numbered(term),
            sought(Q(pk__in=list(addressed[:LOOK]))),
            sought(beginning("username", term), ()),
        ]

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
