"""``/api/auth/token``: a program signs in, and signs out."""

from typing import Any, cast

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.authtoken.serializers import AuthTokenSerializer
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris import sign_in
from arboris.accounts import verification
from arboris.tokens import service as tokens
from arboris.tokens.authentication import TokenAuthentication
from arboris.tokens.models import ApiToken


class TokenRequestSerializer(AuthTokenSerializer):
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        verification.check(attrs["user"])
        return attrs


class TokenView(APIView):
    """``{username, password}`` → ``{"token": …}``; guessing is bounded, see ``arboris.sign_in``."""

    def get_authenticators(self) -> list[BaseAuthentication]:
        # To get one, the password alone says who asks: a stale token must not bar the way.
        return [TokenAuthentication()] if self._ends() else []

    def get_permissions(self) -> list[BasePermission]:
        return [IsAuthenticated()] if self._ends() else [AllowAny()]

    def _ends(self) -> bool:
        request: Any = self.request  # None for a moment, while the schema is made
        return request is not None and request.method == "DELETE"

    @extend_schema(
        request=TokenRequestSerializer,
        responses={200: inline_serializer("Token", {"token": serializers.CharField()})},
    )
    def post(self, request: Request) -> Response:
        """A new token. It is told this once: what is kept is a digest."""
        sign_in.count_attempt(request)
        form = TokenRequestSerializer(data=request.data, context={"request": request})
        form.is_valid(raise_exception=True)
        try:
            key = tokens.issue(form.validated_data["user"], request.headers.get("User-Agent", ""))
        except tokens.PasswordChanged:
            text = _("The password has just been changed.")
            raise serializers.ValidationError({"password": [text]}) from None
        return Response({"token": key})

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        """Ends the token that is sent."""
        token = cast(ApiToken, request.auth)
        tokens.end(token.user_id, token.pk)
        return Response(status=status.HTTP_204_NO_CONTENT)
