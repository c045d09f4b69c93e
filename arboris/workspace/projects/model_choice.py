"""The models that writers may choose, for writing and for the analysis (``arboris.llm.routes``)."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework import serializers

from arboris.llm import route_table
from arboris.llm.routes import ANALYSIS, GENERATION

# The novel's columns, and what each is for.
PURPOSES = {"writing_model": GENERATION, "analysis_model": ANALYSIS}


def choices() -> dict[str, tuple[str, ...] | None]:
    """The models that may be chosen, by the novel's column; None: whatever the endpoint has."""
    routes = route_table.for_purposes(PURPOSES.values())
    return {column: routes[purpose].allowed for column, purpose in PURPOSES.items()}


def check_model(model: str, purpose: str) -> str:
    """Return a model that may be chosen, or none. Raises ValidationError."""
    if model and not (route := route_table.for_purpose(purpose)).allows(model):
        known = ", ".join(route.allowed or ())
        raise serializers.ValidationError(
            _("Choose one of these models: %s.") % known
            if known
            else _("The model cannot be chosen here.")
        )
    return model
