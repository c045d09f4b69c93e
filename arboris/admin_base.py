"""What every admin page here keeps to: bounded queries, and rows that only the program writes."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe

M = TypeVar("M", bound=Model)

COUNTED = 10_000
FOUND = 1_000  # rows that one part of a search may bring


def having(rows: QuerySet[M], column: str, term: str) -> QuerySet[M]:
    """Rows whose ``column`` contains ``term``, whatever the case: icontains follows the collation,
    and MariaDB's tables here tell cases apart."""
    lowered = rows.alias(**{f"{column}_lowered": Lower(column)})
    found: QuerySet[M] = lowered.filter(**{f"{column}_lowered__contains": term.lower()})
    return found


def first_ids(rows: QuerySet[Any], order: str) -> list[Any]:
    """The keys of the first FOUND rows: looked up first, so that a big table that points to them is
    entered through its index."""
    return list(rows.order_by(order).values_list("pk", flat=True)[:FOUND])


def as_number(term: str) -> int | None:
    """The key that somebody may search for; None where the words cannot be one."""
    return int(term) if term.isascii() and term.isdigit() and len(term) < 19 else None


def prompt_links(version: str) -> str:
    """The version of a prompt's words (``prompt_texts``); what staff have changed is a link."""
    parts = []
    for part in version.split("/"):
        number = as_number(part.removeprefix("#")) if part.startswith("#") else None
        url = number and reverse("admin:llm_promptversion_change", args=[number])
        parts.append(format_html('<a href="{}">{}</a>', url, part) if url else escape(part))
    return mark_safe(" / ".join(parts)) if version else "–"


class BoundedPaginator(Paginator[Any]):
    """Counts and reaches the first 10,000 rows only: a table may hold millions.

    Filters, searches and the order of the columns lead to the rest.
    """

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return len(rows) if isinstance(rows, list) else rows[:COUNTED].count()


class BoundedAdmin(admin.ModelAdmin[M]):
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Refuses an action that is not the person's, which Django passes over."""
        declared = self.actions or ()
        others = {one if isinstance(one, str) else one.__name__ for one in declared}
        others -= self.get_actions(request).keys()
        if request.method == "POST" and others.intersection(request.POST.getlist("action")):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without the deletion of many: it would load and list every row that goes along."""
        actions: dict[str, Any] = dict(super().get_actions(request))
        actions.pop("delete_selected", None)
        return actions


class ReadOnlyInline(admin.TabularInline[Any, Any]):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RecordAdmin(BoundedAdmin[M]):
    """Rows to look at: no adding, and no deleting but with what they belong to."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        # Asked for related rows too when a novel or a writer is deleted: there it is allowed.
        own = f"{self.opts.app_label}_{self.opts.model_name}_"
        match = request.resolver_match
        if match is not None and (match.url_name or "").startswith(own):
            return False
        return super().has_delete_permission(request, obj)


class ReadOnlyAdmin(RecordAdmin[M]):
    """As RecordAdmin, and nothing can be changed."""

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False
