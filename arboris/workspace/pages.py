"""The writer's pages: shells that are filled and kept fresh through the JSON API.

A view decides only whether the page may be seen (somebody else's object is 404) and what the
shell itself names: titles, neighbours, and the texts that the scripts of the page need.
"""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analysis.features import finding_types
from arboris.llm.configured import missing_settings
from arboris.middleware import policy_with_style
from arboris.novels.models import NovelProject
from arboris.workspace.access import own_chapter, own_project
from arboris.workspace.bible.content import page_sections
from arboris.workspace.projects import model_choice
from arboris.workspace.texts import script_texts
from notifications import kinds


@require_safe
@login_required
def projects(request: HttpRequest) -> HttpResponse:
    """All projects of the writer, and a form for a new one."""
    return _page(request, "workspace/projects.html")


@require_safe
@login_required
def project(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """The chapters of one project with the state of their analysis."""
    shown = own_project(request, project_id)
    return _page(
        request,
        "workspace/project.html",
        project=shown,
        volumes=shown.volumes.order_by("position"),
        can_generate=not missing_settings(),
        model_choices=_model_choices(shown),
    )


def _model_choices(project: NovelProject) -> list[dict[str, Any]]:
    """Where the writer has a choice: the novel's column, what it is for, models, what is chosen."""
    labels = {"writing_model": _("Model that writes"), "analysis_model": _("Model that analyses")}
    if missing_settings():
        return []
    return [
        {"name": name, "label": labels[name], "models": models, "chosen": getattr(project, name)}
        for name, models in model_choice.choices().items()
        if models and (name == "writing_model" or settings.ARBORIS_ANALYZER == "llm")
    ]


@require_safe
@login_required
def bible(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Characters, world, foreshadowing and relationships of one project."""
    return _page(
        request,
        "workspace/bible.html",
        project=own_project(request, project_id),
        sections=page_sections(),
    )


@require_safe
@login_required
def search(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Words in the whole novel, found and replaced."""
    project = own_project(request, project_id)
    return _page(request, "workspace/search.html", project=project)


@require_safe
@login_required
def chapter(request: HttpRequest, chapter_id: int) -> HttpResponse:
    """The desk: one chapter's text, with the binder and what is known about it."""
    shown = own_chapter(request, chapter_id)
    nonce = secrets.token_urlsafe(16)
    response = _page(
        request,
        "workspace/chapter.html",
        project=shown.project,
        chapter=shown,
        finding_types=list(finding_types()),
        style_nonce=nonce,
    )
    # The editor's library makes its style sheet itself.
    response.headers["Content-Security-Policy"] = policy_with_style(nonce)
    return response


@require_safe
@login_required
def versions(request: HttpRequest, chapter_id: int) -> HttpResponse:
    """The versions of one chapter: their list, two of them compared, and restoring one."""
    shown = own_chapter(request, chapter_id)
    return _page(request, "workspace/versions.html", project=shown.project, chapter=shown)


@require_safe
@login_required
def trash(request: HttpRequest) -> HttpResponse:
    """What the writer has deleted, and can have back."""
    return _page(request, "workspace/trash.html", days=settings.ARBORIS_KEEP_TRASH_DAYS)


@require_safe
@login_required
def notifications(request: HttpRequest) -> HttpResponse:
    """What the analyses of the writer's chapters had to say."""
    return _page(request, "workspace/notifications.html")


def shell(request: HttpRequest) -> dict[str, Any]:
    """What the scripts of a page need: for the account's pages, which know no workspace, too."""
    is_account = request.path.startswith(reverse("account_home"))
    return _for_scripts() if is_account and request.user.is_authenticated else {}


def _for_scripts() -> dict[str, Any]:
    return {
        "script_texts": script_texts(),
        "notification_kinds": kinds.for_scripts(),
        "version_pause": settings.ARBORIS_VERSION_PAUSE,
    }


def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    response = render(request, template, {**_for_scripts(), **context})
    patch_cache_control(response, private=True, no_cache=True)
    return response
