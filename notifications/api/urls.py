from django.urls import path

from notifications.api import views

urlpatterns = [
    path("notifications", views.NotificationList.as_view()),
    path("notifications/read-all", views.MarkAllRead.as_view()),
    path("notifications/<int:notification_id>/read", views.MarkRead.as_view()),
]
