"""Changes of many analyses at once: what is foreseen, how far they have come, who did them."""

from __future__ import annotations

from django.contrib import admin

from analysis.models import BulkChange, BulkOperation, BulkPart
from arboris.admin_base import ReadOnlyAdmin


@admin.register(BulkOperation)
class BulkOperationAdmin(ReadOnlyAdmin[BulkOperation]):
    list_display = ("id", "kind", "state", "actor", "changed", "refused", "created_at", "ended_at")
    list_filter = ("state", "kind")
    ordering = ("-id",)


@admin.register(BulkPart)
class BulkPartAdmin(ReadOnlyAdmin[BulkPart]):
    list_display = ("operation_id", "number")
    ordering = ("-id",)


@admin.register(BulkChange)
class BulkChangeAdmin(ReadOnlyAdmin[BulkChange]):
    list_display = ("operation_id", "task_id")
    search_fields = ("=task_id",)
    ordering = ("-id",)
