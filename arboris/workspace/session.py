"""Signing in again on the spot: a page whose session has ended asks for it by a call."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, login
from django.contrib.auth.models import User
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris import sign_in
from arboris.accounts import verification
from arboris.fields import Text


class SignInSerializer(serializers.Serializer[Any]):
    username = Text(max_length=150)
    password = Text(max_length=4096, trim_whitespace=False)


class SignedInSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")


# A page of somebody else's must not sign a browser in; DRF checks that of signed-in callers alone.
@method_decorator(csrf_protect, name="dispatch")
class SessionView(APIView):
    permission_classes = [AllowAny]
    authentication_classes = []

    @extend_schema(request=SignInSerializer, responses={200: SignedInSerializer})
    def post(self, request: Request) -> Response:
        """Signs this browser in, as the sign-in page does; guessing is bounded as there."""
        sign_in.count_attempt(request)
        form = SignInSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = authenticate(request._request, **form.validated_data)
        if user is None:
            problem = _("User name and password do not match.")
            raise serializers.ValidationError({"password": [problem]})
        assert isinstance(user, User)
        verification.check(user)
        login(request._request, user)
        return Response(SignedInSerializer(user).data)
