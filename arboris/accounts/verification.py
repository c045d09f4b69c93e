"""Whoever signs up has to show that the e-mail address is hers, before the first sign-in."""

from __future__ import annotations

from datetime import timedelta

from allauth.account.internal.flows.email_verification import send_verification_email_for_user
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.contrib.auth.models import User
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework import exceptions

from arboris.accounts.models import Profile
from arboris.db import db_now, in_transaction, locked

KEPT = timedelta(days=7)
BATCH = 20


def begin(user: User) -> None:
    """The account was made by signing up; those that staff make need no address."""
    Profile.objects.create(user=user, awaits_email=True)


def forget_old() -> None:
    """Delete a few sign-ups that were left unconfirmed for KEPT: their names are free again.

    Whoever signs up asks for it, for the workers of the daily clean-up do not know the accounts'
    tables. Nobody has ever signed in there, so that nothing else is lost.
    """

    def work() -> None:
        left = Profile.objects.filter(
            awaits_email=True,
            user__date_joined__lt=db_now() - KEPT,
            user__last_login=None,
            user__is_staff=False,
            user__projects=None,
        )
        doomed = list(left.order_by("pk").values_list("pk", flat=True)[:BATCH])
        # Asked again under the lock: one of them may be confirmed in this moment.
        rows = locked(Profile.objects.filter(pk__in=doomed, awaits_email=True)).order_by("pk")
        User.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).delete()

    in_transaction(work)


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
