"""``Authorization: Token <key>`` on the API."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import authentication, exceptions

from arboris.tokens import service


class TokenAuthentication(authentication.TokenAuthentication):
    """DRF's, over our hashed tokens: it reads the header, and says what is wrong with it."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        token = service.find(key)
        if token is None:
            raise exceptions.AuthenticationFailed(_("The token is wrong or has ended."))
        return token.user, token
