"""What every admin page here keeps to: bounded queries, and rows that only the program writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe

from arboris import admin_export
from arboris.admin_lists import LOOK, BoundedChangeList, BoundedPaginator
from arboris.admin_ways import Sought, Way, as_number, beginning, by_value, numbered, within

M = TypeVar("M", bound=Model)


def prompt_links(version: str) -> str:
    """The version of a prompt's words (``prompt_texts``); what staff have changed is a link."""
    parts = []
    for part in version.split("/"):
        number = as_number(part.removeprefix("#")) if part.startswith("#") else None
        url = number and reverse("admin:llm_promptversion_change", args=[number])
        parts.append(format_html('<a href="{}">{}</a>', url, part) if url else escape(part))
    return mark_safe(" / ".join(parts)) if version else "–"


def writers_named(term: str) -> QuerySet[Any]:
    return get_user_model()._default_manager.filter(beginning("username", term))


class BoundedAdmin(admin.ModelAdmin[M]):
    """A list at any size: see ``admin_lists``. ``ordering`` has to be that of an index."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would count the table
    list_per_page = 50
    list_max_show_all = 200
    list_defer: ClassVar[tuple[str, ...]] = ()  # what no column of the list shows

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/<str:kind>/", view, name=name), *super().get_urls()]

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """All rows of the list with this address's filter and search, as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if kind not in admin_export.TYPES:
            raise Http404
        try:
            changes = self.get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("no such filter") from error
        assert isinstance(changes, BoundedChangeList)
        return admin_export.response(request, changes, kind)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedChangeList

    def way(self, params: Mapping[str, Any]) -> Way:
        """The index that leads to the rows of a list with these filters."""
        ordering = tuple(str(name) for name in self.ordering or ("-pk",))
        return within(by_value(self.model, params) or Way(order=ordering), params)

    def seek(self, term: str) -> list[Sought]:
        """What a search may mean. Words that mean nothing find nothing."""
        exactly = [name[1:] for name in self.search_fields if str(name).startswith("=")]
        return [one for name in exactly for one in numbered(term, name)]

    def seek_for(self, request: HttpRequest, term: str) -> list[Sought]:
        """``seek``, where not everybody may search in everything."""
        return self.seek(term)

    def hide(self, request: HttpRequest, row: M) -> None:
        """Put out of the row what this person may not see of it; it is shown and never saved."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        """For a field that completes what is typed; a list does it itself."""
        if not (term := search_term.strip()):
            return queryset, False
        ways = [way for one in self.seek_for(request, term) for way in one.ways if way.only is None]
        first = (queryset.filter(way.where).order_by(*way.order) for way in ways)
        ids = {pk for rows in first for pk in rows.values_list("pk", flat=True)[:LOOK]}
        return queryset.filter(pk__in=ids), False

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Columns of the table itself: others would take a join."""
        own = {field.name for field in self.opts.concrete_fields if not field.is_relation}
        names = [name for name in self.get_list_display(request) if isinstance(name, str)]
        return [name for name in names if self._sorted_by(name) in own]

    def _sorted_by(self, name: str) -> str:
        column = getattr(self, name, None)
        return str(getattr(column, "admin_order_field", name if column is None else ""))

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
