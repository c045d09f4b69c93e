"""What happens beside signing in and changing a password."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from rest_framework.authtoken.models import Token


@receiver(user_logged_in, dispatch_uid="arboris-list-session")
def list_session(request: HttpRequest, user: User, **_: Any) -> None:
    """Every session is in the writer's list, wherever it began: page, dialog or admin."""
    UserSession.objects.create_from_request(request, user=user)


@receiver((password_changed, password_reset, password_set), dispatch_uid="arboris-end-tokens")
def end_tokens(user: User, **_: Any) -> None:
    """A new password ends the API token too, as it ends all other sessions."""
    Token.objects.filter(user=user).delete()
