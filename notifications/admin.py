"""Notifications to look at: the outbox alone writes them."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from arboris.admin_base import ReadOnlyAdmin, as_number, first_ids, having
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
    search_help_text = _("Number, or name of a writer")
    ordering = ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AnalysisNotification], search_term: str
    ) -> tuple[QuerySet[AnalysisNotification], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if (number := as_number(term)) is not None:
            return queryset.filter(pk=number), False
        users = having(get_user_model()._default_manager.all(), "username", term)
        return queryset.filter(user_id__in=first_ids(users, "pk")), False
