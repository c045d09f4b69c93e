"""Whoever signs up has to show that the e-mail address is hers, before the first sign-in."""

from __future__ import annotations

from allauth.account.internal.flows.email_verification import send_verification_email_for_user
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.contrib.auth.models import User
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework import exceptions

from arboris.accounts.models import Profile


def begin(user: User) -> None:
    """The account was made by signing up; those that staff make need no address."""
    Profile.objects.create(user=user, awaits_email=True)


def is_awaited(user: User) -> bool:
    return Profile.objects.filter(user=user, awaits_email=True).exists()


def check(user: User) -> None:
    """Raises PermissionDenied where a call of the API would let in who has not confirmed yet."""
    if is_awaited(user):
        raise exceptions.PermissionDenied(
            _("Confirm your e-mail address first."), "email_not_confirmed"
        )


def send_again(request: HttpRequest, user: User) -> None:
    """Send the link once more, where the last was not sent within minutes."""
    send_verification_email_for_user(request, user)


@receiver(email_confirmed, dispatch_uid="arboris-email-confirmed")
def end(email_address: EmailAddress, **_kwargs: object) -> None:
    Profile.objects.filter(user_id=email_address.user_id).update(awaits_email=False)
