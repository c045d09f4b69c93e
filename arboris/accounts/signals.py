"""What happens beside signing in."""

from __future__ import annotations

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest


@receiver(user_logged_in, dispatch_uid="arboris-list-session")
def list_session(request: HttpRequest, user: User, **_: Any) -> None:
    """Every session is in the writer's list, wherever it began: page, dialog or admin."""
    UserSession.objects.create_from_request(request, user=user)
