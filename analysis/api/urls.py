from django.urls import path

from analysis.api import views

urlpatterns = [
    path("status", views.StatusView.as_view()),
    path("tasks", views.TaskList.as_view()),
    path("tasks/<int:task_id>", views.TaskDetail.as_view()),
    path("tasks/<int:task_id>/retry", views.RetryTask.as_view()),
    path("tasks/<int:task_id>/cancel", views.CancelTask.as_view()),
    path("tasks/<int:chapter_id>/latest", views.LatestTask.as_view()),
]
