"""Invitations to sign up, and what a writer has set for all her browsers."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

VALID = timedelta(days=14)


def in_two_weeks() -> datetime:
    return timezone.now() + VALID


class Invitation(models.Model):
    """Lets one person sign up, once; its link is signed and not stored."""

    email = models.EmailField(
        _("e-mail address"),
        blank=True,
        help_text=_("The link is sent there. Empty: pass it on yourself."),
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        verbose_name=_("invited by"),
        null=True,
        editable=False,
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), default=in_two_weeks)
    used_at = models.DateTimeField(_("used"), null=True, editable=False)
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        verbose_name=_("used by"),
        null=True,
        editable=False,
    )

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return self.email or self.note or f"#{self.pk}"


class Profile(models.Model):
    """``language``: of pages and notifications; empty: as the browser asks for.

    ``awaits_email``: who signed up and has not confirmed an address yet may not sign in.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="profile"
    )
    language = models.CharField(_("language"), max_length=10, blank=True)
    awaits_email = models.BooleanField(_("has to confirm an address"), default=False)

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")

    def __str__(self) -> str:
        return str(self.user_id)
