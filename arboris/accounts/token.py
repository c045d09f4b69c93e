"""Tokens for API clients."""

from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.authtoken.serializers import AuthTokenSerializer
from rest_framework.authtoken.views import ObtainAuthToken
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from arboris import sign_in
from arboris.accounts import verification
from arboris.rest import BoundedJSONParser


class TokenRequestSerializer(AuthTokenSerializer):
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        verification.check(attrs["user"])
        return attrs


class TokenView(ObtainAuthToken):
    """``{username, password}`` → ``{"token": …}``; guessing is bounded, see ``arboris.sign_in``."""

    serializer_class = TokenRequestSerializer
    permission_classes = [AllowAny]
    # The password alone says who asks: a stale token or session must not bar the way.
    authentication_classes = []
    parser_classes = [BoundedJSONParser]

    @extend_schema(
        request=TokenRequestSerializer,
        responses={200: inline_serializer("Token", {"token": serializers.CharField()})},
    )
    def post(self, request: Request, *args: object, **kwargs: object) -> Response:
        sign_in.count_attempt(request)
        return super().post(request, *args, **kwargs)
