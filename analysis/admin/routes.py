"""Which model does what: what staff say of a purpose goes before the settings."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis import queue
from analysis.admin.control import recorded
from analysis.purposes import PURPOSES, names
from analysis.queue import endpoints as queue_endpoints
from arboris.admin_base import BoundedAdmin
from arboris.llm import endpoints, route_table
from arboris.llm.models import ModelRoute
from arboris.llm.request_body import EFFORTS
from arboris.llm.routes import HOTTEST, Entry, Route, route_of
from arboris.storable import find_unstorable

MOST_CHOICES = 100
KEPT = ("endpoint", "model", "effort", "temperature", "fallback_endpoint", "fallback_model")


class RouteForm(forms.ModelForm[ModelRoute]):
    limited = forms.BooleanField(
        required=False,
        label=gettext_lazy("Limit the writers' choice"),
        help_text=gettext_lazy("Writers may choose these models and no others; none: no choice."),
    )
    models = forms.CharField(
        required=False,
        label=gettext_lazy("Models"),
        help_text=gettext_lazy("One a line."),
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=500)

    class Meta:
        model = ModelRoute
        fields = ("purpose", *KEPT)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = self.instance.choices
        self.initial["limited"] = choices is not None
        self.initial["models"] = "\n".join(choices or ())
        open_ = ("", _("as the wider purpose, or the settings"))
        named = [open_, *((name, name) for name in endpoints.names())]
        for field, options in (
            ("purpose", [(key, f"{key}: {name}") for key, name in names().items()]),
            ("endpoint", named),
            ("fallback_endpoint", named),
            ("effort", [open_, *((effort, effort) for effort in EFFORTS)]),
        ):
            if field in self.fields:  # not of those who may only look
                self.fields[field] = _choice(self.fields[field], options)
        if "temperature" in self.fields:
            self.fields["temperature"] = forms.FloatField(
                label=self.fields["temperature"].label,
                required=False,
                min_value=0,
                max_value=HOTTEST,
                widget=forms.NumberInput(attrs={"step": "any"}),
            )

    def clean_models(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["models"].splitlines()]
        models = list(dict.fromkeys(line for line in lines if line))
        if len(models) > MOST_CHOICES or any(len(m) > endpoints.LONGEST_MODEL for m in models):
            raise forms.ValidationError(
                _("At most %(models)d models of %(characters)d characters.")
                % {"models": MOST_CHOICES, "characters": endpoints.LONGEST_MODEL}
            )
        if problem := find_unstorable("".join(models)):
            raise forms.ValidationError(problem)
        return models

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        row = self.instance
        row.purpose = cleaned.get("purpose", row.purpose)
        for name in KEPT:
            setattr(row, name, cleaned[name])
        row.choices = cleaned["models"] if cleaned["limited"] else None
        if cleaned["models"] and not cleaned["limited"]:
            self.add_error("limited", _("Models are named, and the choice is not limited."))
        for field, told in _faults(row.purpose, route_table.entry_of(row)):
            self.add_error(field, told)
        return cleaned


def _choice(field: forms.Field, options: list[tuple[str, Any]]) -> forms.ChoiceField:
    return forms.ChoiceField(choices=options, label=field.label, required=field.required)


def _faults(purpose: str, entry: Entry) -> Iterator[tuple[str | None, str]]:
    """What would be wrong with the routes, were this the purpose's entry: the field, and why."""
    changed = route_table.changed() | {purpose: entry}
    for key in PURPOSES:
        for part, target in route_of(key, changed).not_allowed():
            told = _("The endpoint %(endpoint)s does not allow the model %(model)s.") % {
                "endpoint": target.endpoint,
                "model": target.model,
            }
            if key == purpose:
                yield {"own": "model", "fallback": "fallback_model"}.get(part, "models"), told
            else:
                yield None, f"{key}: {told}"


@admin.register(ModelRoute)
class ModelRouteAdmin(BoundedAdmin[ModelRoute]):
    form = RouteForm
    list_display = ("purpose", "endpoint", "model", "effort", "temperature", "changed_at")
    ordering = ("purpose",)
    fieldsets = (
        (None, {"fields": ("purpose", "endpoint", "model", "effort", "temperature")}),
        (gettext_lazy("Fallback"), {"fields": ("fallback_endpoint", "fallback_model")}),
        (gettext_lazy("Writers"), {"fields": ("limited", "models")}),
        (None, {"fields": ("reason",)}),
    )
    change_list_template = "admin/analysis/routes.html"

    def get_readonly_fields(self, request: HttpRequest, obj: ModelRoute | None = None) -> Any:
        return ("purpose",) if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: ModelRoute | None = None) -> Any:
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        return ((None, {"fields": ("purpose", *KEPT, "choices", "changed_at")}),)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With the routes of all purposes, as they are settled now."""
        routes = route_table.for_purposes(PURPOSES)
        told = names()
        shown = [(key, told[key], route, _choices(route)) for key, route in routes.items()]
        return super().changelist_view(request, {**(extra_context or {}), "routes": shown})

    def save_model(
        self, request: HttpRequest, obj: ModelRoute, form: forms.ModelForm[Any], change: bool
    ) -> None:
        work = partial(self._save, request, obj, form, change)
        now = {name: getattr(obj, name) for name in (*KEPT, "choices")}
        before = ModelRoute.objects.filter(pk=obj.pk).values(*now).first() if change else None
        recorded(
            request,
            "change_route",
            work,
            reason=form.cleaned_data["reason"],
            purpose=obj.purpose,
            before=before,
            now=now,
        )

    def _save(
        self, request: HttpRequest, obj: ModelRoute, form: forms.ModelForm[Any], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        _let_go_on()

    def delete_model(self, request: HttpRequest, obj: ModelRoute) -> None:
        """From now on the settings say what is done."""

        def work() -> None:
            obj.delete()
            _let_go_on()

        recorded(request, "reset_route", work, purpose=obj.purpose)


def _choices(route: Route) -> str:
    return _("any") if route.allowed is None else ", ".join(route.allowed) or "–"


def _let_go_on() -> None:
    """Another endpoint may take what the one before refuses."""
    queue_endpoints.resume(queue.configured().name)
