"""The overview as data: what its page shows first, and what its script asks for again."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analysis.overview import figures, texts
from analysis.overview.figures import WINDOWS, Figures

SHORTEST = next(iter(WINDOWS))
# Seconds for which all that poll a process share one look.
SHARED_SECONDS = 2


@require_safe
def overview(request: HttpRequest) -> JsonResponse:
    """``{at, now, windows, workers, paused, history, history_rows}`` for who may see analyses."""
    if not request.user.is_authenticated:
        return _refused(401, "not_authenticated", _("Sign in first."))
    if not texts.may_look(request.user):
        return _refused(403, "permission_denied", _("You may not see this."))
    window = window_of(request)
    key = f"overview:{window}"
    seen = cache.get(key)
    if seen is None:
        seen = figures.look(window)
        cache.set(key, seen, SHARED_SECONDS)
    answer = JsonResponse(document(seen, request))
    patch_cache_control(answer, private=True, no_store=True)
    return answer


def window_of(request: HttpRequest) -> str:
    """The window that the address names; the shortest where it names none of ours."""
    asked = request.GET.get("window", "")
    return asked if asked in WINDOWS else SHORTEST


def document(seen: Figures, request: HttpRequest) -> dict[str, Any]:
    """All that is shown and changes, by the places of the page."""
    user = request.user
    cells = texts.now(seen)
    for place, (_title, row) in enumerate(texts.windows(seen, user)):
        cells |= {f"{place}-{window}": one for window, one in zip(WINDOWS, row, strict=True)}
    return {
        "at": seen.at.isoformat(),
        "cells": cells,
        "rows": {
            "workers": texts.workers(seen, user),
            "paused": texts.paused_rows(texts.held(user), seen.at, user),
            "history": texts.history_rows(seen),
        },
        "history": texts.history(seen),
    }


def _refused(status: int, code: str, detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail, "code": code}, status=status)
