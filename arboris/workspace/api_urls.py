"""The paths of the writers' calls, below /api/."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from arboris.workspace import session
from arboris.workspace.bible import api as bible
from arboris.workspace.book import api as book
from arboris.workspace.chapters import api as chapters
from arboris.workspace.chapters import cast, check, impact, versions, working
from arboris.workspace.generation import api as generation
from arboris.workspace.importing import api as importing
from arboris.workspace.manuscript import api as manuscript
from arboris.workspace.projects import api as projects
from arboris.workspace.projects.sample import SampleNovel
from arboris.workspace.search import api as search
from arboris.workspace.trash import api as trash


class KindConverter(StringConverter):
    """The formats of an export."""

    regex = "json|md"


register_converter(KindConverter, "kind")

urlpatterns = [
    path("auth/session", session.SessionView.as_view()),
    path("models", projects.ModelChoices.as_view()),
    path("projects", projects.ProjectList.as_view()),
    path("projects/sample", SampleNovel.as_view()),
    path("projects/<uuid:project_id>", projects.ProjectDetail.as_view()),
    path("projects/<uuid:project_id>/chapters", chapters.ChapterList.as_view()),
    path("projects/<uuid:project_id>/chapters/generate", generation.GenerateChapter.as_view()),
    path("projects/<uuid:project_id>/import", importing.ImportNovel.as_view()),
    path("projects/<uuid:project_id>/imports/<uuid:import_id>", importing.ImportState.as_view()),
    path("projects/<uuid:project_id>/export", manuscript.ExportNovel.as_view()),
    path("projects/<uuid:project_id>/search", search.SearchNovel.as_view()),
    path("projects/<uuid:project_id>/replace", search.ReplaceInNovel.as_view()),
    path("projects/<uuid:project_id>/go-to", search.GoTo.as_view()),
    path("projects/<uuid:project_id>/bible", bible.BibleView.as_view()),
    path("projects/<uuid:project_id>/bible/decisions", bible.DecisionList.as_view()),
    path(
        "projects/<uuid:project_id>/bible/decisions/<int:decision_id>/undo",
        bible.DecisionUndo.as_view(),
    ),
    path("projects/<uuid:project_id>/bible/inbox", bible.QuestionsView.as_view()),
    path("projects/<uuid:project_id>/bible/read-again", bible.ReadAgainView.as_view()),
    path("projects/<uuid:project_id>/bible/export.<kind:kind>", bible.ExportView.as_view()),
    path("chapters/<int:chapter_id>", chapters.ChapterDetail.as_view()),
    path("chapters/<int:chapter_id>/working", working.WorkingCopyView.as_view()),
    path("chapters/<int:chapter_id>/cast", cast.CastView.as_view()),
    path("chapters/<int:chapter_id>/cast/<str:kind>/<int:entry_id>", cast.CastCard.as_view()),
    path("chapters/<int:chapter_id>/findings", chapters.ChapterFindings.as_view()),
    path("projects/<uuid:project_id>/order", book.OrderView.as_view()),
    path("chapters/<int:chapter_id>/split", book.SplitView.as_view()),
    path("chapters/<int:chapter_id>/join", book.JoinView.as_view()),
    path("trash", trash.TrashList.as_view()),
    path("trash/<str:kind>/<str:item_id>/restore", trash.TrashRestore.as_view()),
    path("chapters/<int:chapter_id>/versions", versions.VersionList.as_view()),
    path("chapters/<int:chapter_id>/versions/<int:number>", versions.VersionDetail.as_view()),
    path("chapters/<int:chapter_id>/versions/<int:number>/diff", versions.VersionDiff.as_view()),
    path(
        "chapters/<int:chapter_id>/versions/<int:number>/restore",
        versions.VersionRestore.as_view(),
    ),
    path("chapters/<int:chapter_id>/check", check.ChapterCheck.as_view()),
    path("chapters/<int:chapter_id>/impact", impact.ChapterImpact.as_view()),
]
