"""What django-allauth asks of this project."""

from __future__ import annotations

import ipaddress
import logging
import smtplib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import render
from rest_framework.throttling import BaseThrottle

from arboris.accounts import invitations

log = logging.getLogger(__name__)
UNKNOWN = "0.0.0.0"


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # it ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.ARBORIS_SIGN_UP == "open":
            return True
        by_invitation = settings.ARBORIS_SIGN_UP == "invitation"
        return by_invitation and invitations.current(request) is not None

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address as ``arboris.sign_in`` counts it: behind our proxy its client's."""
        found = BaseThrottle().get_ident(request) or ""  # type: ignore[arg-type]
        try:
            return str(ipaddress.ip_address(found))
        except ValueError:
            return UNKNOWN

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send it now. Where that fails the reader is told, with 503."""
        if not settings.ARBORIS_SENDS_EMAIL:  # only notices; all else is not offered then
            return
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, smtplib.SMTPException) as error:
            # Without the address, and without a server's words, which may hold it.
            log.error("E-mail cannot be sent: %s", type(error).__name__)
            page = render(self.request, "accounts/mail_failed.html", status=503)
            raise ImmediateHttpResponse(page) from error
