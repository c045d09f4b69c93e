"""Invitations in the admin; what django-allauth keeps has no page there."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import admin, messages
from django.core.mail import send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from arboris.accounts import invitations
from arboris.accounts.models import Invitation
from arboris.admin_base import BoundedAdmin

# Sessions are keys of their writers; addresses are changed by whoever reads the mail that is sent.
for model in (EmailAddress, EmailConfirmation, UserSession):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(Invitation)
class InvitationAdmin(BoundedAdmin[Invitation]):
    list_display = ("__str__", "note", "created_by", "created_at", "expires_at", "used_by")
    list_select_related = ("created_by", "used_by")
    ordering = ("-pk",)
    fields = ("email", "note", "expires_at")
    readonly = ("link", "created_by", "created_at", "used_at", "used_by")

    def get_queryset(self, request: HttpRequest) -> Any:
        self._request = request
        return super().get_queryset(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        if obj is None:
            return ()
        return (*self.readonly, *(self.fields if obj.used_at else ("email",)))

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        return self.fields if obj is None else (*self.fields, *self.readonly)

    @admin.display(description=gettext_lazy("link"))
    def link(self, invitation: Invitation) -> str:
        return "" if invitation.used_at else invitations.link(self._request, invitation)

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        if not change:
            obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)
        if change:
            return
        address = invitations.link(request, obj)
        if settings.ARBORIS_SIGN_UP == "closed":
            self.message_user(request, _("Sign-up is closed: no link works."), messages.WARNING)
        elif obj.email and settings.ARBORIS_SENDS_EMAIL and self._send(obj, address):
            self.message_user(request, _("The invitation was sent to %s.") % obj.email)
        else:
            self.message_user(request, _("Pass this link on: %s") % address)

    def _send(self, invitation: Invitation, address: str) -> bool:
        """Whether it could be sent; if not, the link is shown all the same."""
        text = render_to_string(
            "accounts/email/invitation.txt", {"link": address, "expires": invitation.expires_at}
        )
        try:
            send_mail(_("[Arboris] You are invited"), text, None, [invitation.email])
        except OSError:
            return False
        return True
