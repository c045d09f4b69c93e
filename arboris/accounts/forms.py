"""Forms of the account pages."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import SignupForm
from allauth.core.exceptions import ImmediateHttpResponse
from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from arboris.accounts import invitations, verification
from arboris.db import in_transaction


class SignInForm(AuthenticationForm):
    """By name and password, once the address that somebody signed up with is confirmed."""

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        if verification.is_awaited(user):
            assert self.request is not None
            verification.send_again(self.request, user)
            raise forms.ValidationError(
                _("Confirm your e-mail address first: we have sent you a message with a link."),
                code="email_not_confirmed",
            )


class SignUpForm(SignupForm):  # type: ignore[misc]  # it ships no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")

    def full_clean(self) -> None:
        if self.is_bound:  # before it is asked whether name and address are free
            verification.forget_old()
        super().full_clean()

    def save(self, request: HttpRequest) -> User:
        """Make the account and use up the invitation: both or neither."""

        def work() -> User:
            invitation = invitations.current(request)
            user: User = SignupForm.save(self, request)
            verification.begin(user)
            used = invitation is not None and invitations.use(invitation, user)
            if not used and settings.ARBORIS_SIGN_UP != "open":
                raise ImmediateHttpResponse(render(request, "account/signup_closed.html"))
            return user

        try:
            return in_transaction(work)
        except IntegrityError:  # the name was taken between the look and the save
            raise ImmediateHttpResponse(redirect("account_signup")) from None


class ProfileForm(forms.Form):
    name = forms.CharField(
        label=_("Pen name"),
        max_length=150,
        required=False,
        help_text=_("The author in exported manuscripts. Empty: your user name."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        help_text=_("Of pages and notifications, wherever you sign in."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("As the browser asks for")), *settings.LANGUAGES]
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)
        language.choices = choices


class DeletionForm(forms.Form):
    understood = forms.BooleanField(label=_("Delete my account and all my novels for good"))
