"""The account's pages that are ours; the others are django-allauth's, see ``urls``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.i18n import set_language as django_set_language

from arboris.accounts import deletion, invitations
from arboris.accounts.forms import DeletionForm, ProfileForm, SignInForm
from arboris.accounts.models import Profile
from arboris.novels.models import NovelProject
from arboris.tokens import service as tokens

SESSIONS_SHOWN = 50
NUMBER = re.compile("[0-9]{1,18}")  # an id; what is longer no database takes


class SignIn(LoginView):
    """Django's page to sign in, in the writer's own language from then on."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        stored = Profile.objects.filter(user=form.get_user()).first()
        return speak(response, stored.language if stored else "")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {
            "may_sign_up": settings.ARBORIS_SIGN_UP == "open",
            "may_reset": settings.ARBORIS_SENDS_EMAIL,
        }


def speak(response: HttpResponse, language: str) -> HttpResponse:
    """Let this browser have its pages and its socket in that language; empty: as it is."""
    if language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            secure=settings.HTTPS,
            samesite="Lax",
        )
    return response


def set_language(request: HttpRequest) -> HttpResponse:
    """Django's view behind the language switch; a writer who has signed in keeps the choice."""
    response = django_set_language(request)
    language = request.POST.get("language", "")
    if request.method == "POST" and request.user.is_authenticated and known(language):
        Profile.objects.update_or_create(user=request.user, defaults={"language": language})
    return response


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is filled with; None: it is shown empty."""
    return request.POST if request.method == "POST" else None


def known(language: str) -> bool:
    return language in dict(settings.LANGUAGES)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The account at a glance, with the profile's form."""
    user = request.user
    assert isinstance(user, User)
    profile = Profile.objects.filter(user=user).first() or Profile(user=user)
    initial = {"name": user.get_full_name(), "language": profile.language}
    form = ProfileForm(posted(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        User.objects.filter(pk=user.pk).update(first_name=form.cleaned_data["name"], last_name="")
        language = form.cleaned_data["language"]
        Profile.objects.update_or_create(user=user, defaults={"language": language})
        response = redirect("account_home")
        if not language:
            response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
        with translation.override(language or translation.get_language()):
            messages.success(request, _("Saved."))
        return speak(response, language)
    context = {"form": form, "sends_email": settings.ARBORIS_SENDS_EMAIL}
    return render(request, "accounts/home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    """Where the writer is signed in; each can be ended from here, and all others at once."""
    mine = UserSession.objects.filter(user_id=request.user.pk)
    if request.method == "POST":
        chosen = request.POST.get("session", "")
        ended = mine.exclude(session_key=request.session.session_key)
        if chosen != "others":
            ended = ended.filter(pk=int(chosen)) if NUMBER.fullmatch(chosen) else ended.none()
        for session in ended[:1000]:
            session.end()
        messages.success(request, _("Signed out there."))
        return redirect("usersessions_list")
    shown = [row for row in mine.order_by("-last_seen_at")[:SESSIONS_SHOWN] if not row.purge()]
    current = request.session.session_key
    rows = [(row, row.session_key == current) for row in shown]
    return render(request, "accounts/sessions.html", {"sessions": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def api_tokens(request: HttpRequest) -> HttpResponse:
    """The writer's programs that hold a token; each token can be ended from here, and all."""
    assert isinstance(request.user, User)
    user_id = request.user.pk
    if request.method == "POST":
        chosen = request.POST.get("token", "")
        if chosen == "all":
            tokens.end_all(user_id)
        elif NUMBER.fullmatch(chosen):
            tokens.end(user_id, int(chosen))
        messages.success(request, _("The token has ended."))
        return redirect("account_tokens")
    rows = tokens.valid().filter(user_id=user_id).order_by("-used_at", "-pk")
    context = {"tokens": rows, "days": settings.ARBORIS_TOKEN_DAYS}
    return render(request, "accounts/tokens.html", context)


@require_safe
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The link of an invitation: on to the form, or the page that says that it is not valid."""
    if settings.ARBORIS_SIGN_UP == "closed" or invitations.accept(request, token) is None:
        return render(request, "accounts/invitation_invalid.html", status=404)
    return redirect("account_signup")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]
def delete(request: HttpRequest) -> HttpResponse:
    """Take everything away first, then delete the account with all that belongs to it."""
    user = request.user
    assert isinstance(user, User)
    if user.is_staff:
        return render(request, "accounts/delete_staff.html", status=403)
    form = DeletionForm(posted(request))
    if request.method == "POST" and form.is_valid():
        logout(request)
        deletion.delete_account(user.pk)
        messages.success(request, _("Your account is deleted."))
        return redirect(settings.LOGIN_URL)
    novels = NovelProject.objects.filter(owner=user).order_by("title")
    return render(request, "accounts/delete.html", {"form": form, "novels": novels})


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Where django-allauth's pages send whoever signs out."""
    logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)


def needs_email(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The page, or one that says that this site sends no e-mail."""

    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.ARBORIS_SENDS_EMAIL:
            return render(request, "accounts/no_email.html", status=503)
        return view(request, *args, **kwargs)

    return page
