"""The writer's pages. Paths have no trailing slash, like those of the API."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from arboris.accounts.views import SignIn, set_language
from arboris.sign_in import limited
from arboris.workspace import pages

app_name = "workspace"

urlpatterns = [
    path("", pages.projects, name="projects"),
    path("projects/<uuid:project_id>", pages.project, name="project"),
    path("projects/<uuid:project_id>/bible", pages.bible, name="bible"),
    path("projects/<uuid:project_id>/search", pages.search, name="search"),
    path("chapters/<int:chapter_id>", pages.chapter, name="chapter"),
    path("chapters/<int:chapter_id>/versions", pages.versions, name="versions"),
    path("trash", pages.trash, name="trash"),
    path("notifications", pages.notifications, name="notifications"),
    path(
        "login",
        limited(SignIn.as_view(next_page="workspace:projects")),
        name="login",
    ),
    path("logout", LogoutView.as_view(next_page="workspace:login"), name="logout"),
    path("i18n/setlang", set_language, name="set_language"),
]
