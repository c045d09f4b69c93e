"""Notifications to look at: the outbox alone writes them."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from arboris.admin_base import ReadOnlyAdmin, writers_named
from arboris.admin_ways import Sought, numbered, of_those
from notifications.models import AnalysisNotification, ReadCount


@admin.register(ReadCount)
class ReadCountAdmin(ReadOnlyAdmin[ReadCount]):
    list_display = ("user", "reads")
    list_select_related = ("user",)


@admin.register(AnalysisNotification)
class AnalysisNotificationAdmin(ReadOnlyAdmin[AnalysisNotification]):
    list_display = ("id", "notification_type", "title", "user", "project", "is_read", "created_at")
    list_filter = ("notification_type", "is_read")
    list_select_related = ("user", "project")
    search_fields = ("=id", "user__username")
    search_help_text = _("Number, or beginning of a writer's name")
    ordering = ("-id",)

    def seek(self, term: str) -> list[Sought]:
        owned = of_those(AnalysisNotification, "user_id", writers_named(term))
        return numbered(term) or [owned]
