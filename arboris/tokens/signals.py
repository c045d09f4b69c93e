"""A new password ends all tokens, by whatever way it was set."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models.signals import post_save
from django.dispatch import receiver

from arboris.tokens import service


@receiver(post_save, sender=User, dispatch_uid="arboris-end-tokens")
def end_tokens(instance: Any, created: bool, **_: Any) -> None:
    """The account page, a reset by e-mail, the admin and ``changepassword`` all save a user whose
    password was just set. A hash that is only computed anew at a sign-in leaves ``_password``
    empty, and the tokens alone."""
    if not created and instance._password is not None:
        service.end_all(instance.pk)
