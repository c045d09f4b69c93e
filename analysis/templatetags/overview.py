"""What every page of the admin says while something is paused, and the overview of its index."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import reverse

from analysis.management.units import short
from analysis.overview import figures, texts, views
from analysis.overview.figures import WINDOWS
from analysis.overview.paused import Hold
from arboris.db import db_now

register = template.Library()
NAMED = 3  # of the budgets, novels and writers in the banner


@register.inclusion_tag("admin/analysis/paused.html", takes_context=True)
def paused_banner(context: dict[str, Any]) -> dict[str, Any]:
    """What is paused, why, since when, by whom, and where it is let go on. One query."""
    request: HttpRequest | None = context.get("request")
    if request is None or not request.user.is_authenticated:
        return {}
    holds = texts.held(request.user)
    if not holds:
        return {}
    now = db_now()
    lines = [
        {
            "name": texts.name_of(hold),
            "reason": hold.reason,
            "since": hold.since,
            "age": short((now - hold.since).total_seconds()),
            "by": texts.by_whom(hold),
            "resume": texts.resume_link(hold, request.user),
        }
        for hold in shown(holds)
    ]
    return {"lines": lines, "more": len(holds) - len(lines)}


def shown(holds: list[Hold]) -> list[Hold]:
    """What holds back all or an endpoint, and the first few of the rest."""
    wide = [hold for hold in holds if hold.kind in {"all", "endpoint"}][:NAMED]
    return wide + [hold for hold in holds if hold.kind not in {"all", "endpoint"}][:NAMED]


@register.inclusion_tag("admin/analysis/overview.html", takes_context=True)
def overview(context: dict[str, Any]) -> dict[str, Any]:
    """The overview, for staff who may see analyses; nothing for others."""
    request: HttpRequest = context["request"]
    if not texts.may_look(request.user):
        return {}
    window = views.window_of(request)
    seen = figures.look(window)
    document = views.document(seen, request)
    cells = document["cells"]
    titles = texts.now_titles()
    return {
        "may_look": True,
        "now": [(name, title, cells[name]) for name, title in titles.items()],
        "windows": texts.window_titles(),
        "window": window,
        "table": [
            (title, [(f"{place}-{name}", cells[f"{place}-{name}"]) for name in WINDOWS])
            for place, (title, _row) in enumerate(texts.windows(seen, request.user))
        ],
        "rows": document["rows"],
        "history": document["history"],
        "series": texts.series_titles(),
        "sees_workers": request.user.has_perm("analysis.view_workerheartbeat"),
        "url": reverse("admin-overview"),
    }
