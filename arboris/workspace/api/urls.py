from django.urls import path

from arboris.workspace.api import chapters, generate, projects

urlpatterns = [
    path("projects", projects.ProjectList.as_view()),
    path("projects/<uuid:project_id>", projects.ProjectDetail.as_view()),
    path("projects/<uuid:project_id>/chapters", chapters.ChapterList.as_view()),
    path("projects/<uuid:project_id>/chapters/generate", generate.GenerateChapter.as_view()),
    path("projects/<uuid:project_id>/import", projects.ImportNovel.as_view()),
    path("projects/<uuid:project_id>/bible", projects.BibleView.as_view()),
    path("chapters/<int:chapter_id>", chapters.ChapterDetail.as_view()),
    path("chapters/<int:chapter_id>/findings", chapters.ChapterFindings.as_view()),
]
