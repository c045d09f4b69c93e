"""``/accounts/…``: those of django-allauth that we use, by its names, and ours beside them."""

from __future__ import annotations

from allauth.account import views as allauth
from django.urls import path, re_path
from django.views.generic import RedirectView

from arboris.accounts import views
from arboris.accounts.views import needs_email
from arboris.sign_in import limited

urlpatterns = [
    path("", views.home, name="account_home"),
    path("sessions/", views.sessions, name="usersessions_list"),
    path("tokens/", views.api_tokens, name="account_tokens"),
    path("delete/", views.delete, name="account_delete"),
    path("invitation/<str:token>/", views.invitation, name="account_invitation"),
    # The one page to sign in is /login.
    path(
        "login/",
        RedirectView.as_view(pattern_name="workspace:login", query_string=True),
        name="account_login",
    ),
    path("logout/", views.sign_out, name="account_logout"),
    path("inactive/", allauth.account_inactive, name="account_inactive"),
    path("signup/", limited(needs_email(allauth.signup)), name="account_signup"),
    path("reauthenticate/", limited(allauth.reauthenticate), name="account_reauthenticate"),
    path("email/", needs_email(allauth.email), name="account_email"),
    path("confirm-email/", allauth.email_verification_sent, name="account_email_verification_sent"),
    re_path(
        r"^confirm-email/(?P<key>[-:\w]+)/$", allauth.confirm_email, name="account_confirm_email"
    ),
    path("password/change/", allauth.password_change, name="account_change_password"),
    path("password/set/", allauth.password_set, name="account_set_password"),
    path(
        "password/reset/",
        limited(needs_email(allauth.password_reset)),
        name="account_reset_password",
    ),
    path("password/reset/done/", allauth.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        limited(allauth.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        allauth.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
