"""The words of the prompts: to read, to change with a version each time, and to put back."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.admin.control import recorded
from analysis.purposes import names
from arboris.admin_base import ReadOnlyAdmin
from arboris.llm import prompt_texts, prompt_versions
from arboris.llm.models import PromptVersion
from arboris.llm.prompt_texts import Prompt, Words

SHOWN = 30  # versions on a text's page


class PromptForm(forms.Form):
    """``since``: the version that the change was made to."""

    since = forms.CharField(widget=forms.HiddenInput)
    text = forms.CharField(
        label=gettext_lazy("Text"),
        strip=False,
        required=False,
        widget=forms.Textarea(attrs={"rows": 24, "cols": 110, "spellcheck": "false"}),
    )
    note = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=500)

    def __init__(self, prompt: Prompt, now: Words, *args: Any, **kwargs: Any) -> None:
        self.prompt, self.now = prompt, now
        super().__init__(*args, **kwargs)

    def clean_text(self) -> str:
        text: str = "\n".join(self.cleaned_data["text"].splitlines()).strip()
        if "restore" not in self.data and (faults := self.prompt.faults(text)):
            raise forms.ValidationError(faults)
        return text

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("since") != self.now.version:
            self.add_error(None, _("Somebody else has changed the text meanwhile: look at it."))
        return cleaned


@dataclass(frozen=True, slots=True)
class Change:
    """A version, and how its text differs from the one before it."""

    row: PromptVersion
    diff: str


@admin.register(PromptVersion)
class PromptVersionAdmin(ReadOnlyAdmin[PromptVersion]):
    list_display = ("__str__", "created_by", "created_at", "note")
    ordering = ("-id",)
    change_list_template = "admin/analysis/prompts.html"

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.text_view)
        own = path("text/<str:key>/<str:language>/", page, name="llm_promptversion_text")
        return [own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With all texts, and which version of each counts."""
        prompts = prompt_texts.every()
        languages = dict.fromkeys(language for _key, language in prompts)
        changed = {language: prompt_versions.changed(language) for language in languages}
        told = names()
        shown = [
            (prompt, told.get(prompt.key, prompt.key), changed[prompt.language].get(prompt.key))
            for prompt in prompts.values()
        ]
        return super().changelist_view(request, {**(extra_context or {}), "prompts": shown})

    def text_view(self, request: HttpRequest, key: str, language: str) -> HttpResponse:
        """One text: as it is now, to be changed, and its history."""
        prompt = prompt_texts.every().get((key, language))
        if prompt is None:
            raise Http404
        may_change = self.has_add_prompt_permission(request)
        if not (may_change or self.has_view_permission(request)):
            raise PermissionDenied
        now = prompt_versions.now(prompt)
        posted = request.POST if request.method == "POST" else None
        if posted is not None and not may_change:
            raise PermissionDenied
        initial = {"since": now.version, "text": self._looked_at(request, prompt) or now.text}
        form = PromptForm(prompt, now, posted, initial=initial)
        if posted is not None and form.is_valid():
            self._put(request, form)
            return redirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{names().get(key, key)} ({language})",
            "prompt": prompt,
            "now": now,
            "form": form,
            "may_change": may_change,
            "history": list(_history(prompt)),
        }
        return TemplateResponse(request, "admin/analysis/prompt.html", context)

    def has_add_prompt_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("llm.add_promptversion")

    def _looked_at(self, request: HttpRequest, prompt: Prompt) -> str:
        """The text of an earlier version that is to be put back, once it is saved."""
        number = request.GET.get("from", "")
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            return ""
        rows = PromptVersion.objects.filter(key=prompt.key, language=prompt.language, pk=number)
        return rows.values_list("text", flat=True).first() or ""

    def _put(self, request: HttpRequest, form: PromptForm) -> None:
        prompt, note = form.prompt, form.cleaned_data["note"]
        text = "" if "restore" in form.data else form.cleaned_data["text"]
        by = request.user.get_username()
        put = partial(prompt_versions.put, prompt, text, by=by, note=note)
        done = recorded(
            request,
            "change_prompt",
            lambda: put() is not None,
            reason=note,
            prompt=prompt.key,
            language=prompt.language,
            restored=not text,
        )
        told = _("The text counts from the next question on.") if done else _("Nothing changed.")
        self.message_user(request, told, messages.SUCCESS if done else messages.INFO)


def _history(prompt: Prompt) -> Iterator[Change]:
    """The newest first."""
    rows = PromptVersion.objects.filter(key=prompt.key, language=prompt.language).order_by("-pk")
    found = list(rows[: SHOWN + 1])
    for row, before in zip(found[:SHOWN], [*found[1:], None], strict=False):
        yield Change(row, _diff(_text(before, prompt), _text(row, prompt)))


def _text(row: PromptVersion | None, prompt: Prompt) -> str:
    return row.text if row is not None and row.text else prompt.shipped


def _diff(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    return "\n".join(list(lines)[2:])
