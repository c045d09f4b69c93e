"""One invitation from its link to the account that is made with it."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from arboris.accounts.models import Invitation
from arboris.db import db_now

SALT = "arboris.accounts.invitation"
IN_SESSION = "invitation"


def link(request: HttpRequest, invitation: Invitation) -> str:
    """The address that lets its reader sign up: the same whenever it is asked for."""
    token = _signer().sign_object(invitation.pk)
    return request.build_absolute_uri(reverse("account_invitation", args=[token]))


def accept(request: HttpRequest, token: str) -> Invitation | None:
    """Remember the invitation of a link for this visitor's sign-up; None where it is not valid."""
    try:
        pk = _signer().unsign_object(token)
    except signing.BadSignature:
        return None
    invitation = _valid().filter(pk=pk).first()
    if invitation is not None:
        request.session[IN_SESSION] = invitation.pk
    return invitation


def current(request: HttpRequest) -> Invitation | None:
    """The invitation that this visitor came with, if it is valid still."""
    pk = request.session.get(IN_SESSION)
    return None if pk is None else _valid().filter(pk=pk).first()


def use(invitation: Invitation, user: User) -> bool:
    """Use it up, in the transaction that makes the account; False: somebody else was first."""
    return bool(_valid().filter(pk=invitation.pk).update(used_at=db_now(), used_by=user))


def _signer() -> signing.Signer:
    # Without the time: how long it holds is said in its row.
    return signing.Signer(salt=SALT)


def _valid() -> QuerySet[Invitation]:
    return Invitation.objects.filter(used_at=None, expires_at__gt=db_now())
