"""What the writer wants done with a text beside its being saved, and the check of it.

What is wrong in ``generation_config`` is said in our words, one sentence a key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from pydantic import ValidationError as ConfigError
from rest_framework import serializers

from analysis.models import PendingAnalysis
from analysis.pipeline import GenerationConfig
from arboris.llm.routes import ANALYSIS
from arboris.storable import find_unstorable
from arboris.workspace.projects.model_choice import check_model

DEFAULT_PRIORITY = 5
MAX_CONFIG_BYTES = 64 * 1024
MAX_CONFIG_DEPTH = 20  # MariaDB takes no JSON that is nested more than 32 levels deep

# By pydantic's error types; the values in a sentence are those of the error's context.
SENTENCES = {
    "bool_type": gettext_noop("Must be true or false."),
    "float_type": gettext_noop("A number is required."),
    "finite_number": gettext_noop("A number is required."),
    "int_type": gettext_noop("A whole number is required."),
    "string_type": gettext_noop("A text is required."),
    "model_type": gettext_noop("Must be a JSON object."),
    "greater_than_equal": gettext_noop("Must be %(ge)s or more."),
    "less_than_equal": gettext_noop("Must be %(le)s or less."),
    "string_too_short": gettext_noop("Must not be empty."),
    "string_too_long": gettext_noop("Must have at most %(max_length)s characters."),
}
OTHERWISE = gettext_noop("This value is not allowed.")


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """What the writer wants done with a text beside its being saved.

    What is None is as in the chapter's last analysis; without one, DEFAULT_PRIORITY and {}.
    ``together``: it is one of many texts that change at once.
    """

    mode: str = "enhanced"
    priority: int | None = None
    config: dict[str, Any] | None = None
    together: bool = False

    def as_before(self, chapter_id: int) -> AnalysisOptions:
        """With the chapter's last priority and configuration where the options leave them open."""
        last = (
            PendingAnalysis.objects.filter(chapter_id=chapter_id, quiet=False)
            .order_by("-pk")
            .values_list("priority", "generation_config")
            .first()
        )
        if last is None:
            return self
        priority = last[0] if self.priority is None else self.priority
        return replace(
            self, priority=priority, config=last[1] if self.config is None else self.config
        )

    @property
    def allowed_priority(self) -> int:
        """That of a new analysis: the last one may have been higher than the site has it now."""
        highest: int = settings.ARBORIS_MAX_PRIORITY
        return min(self.priority or DEFAULT_PRIORITY, highest)

    def why_not(self, content: str) -> str:
        """Why this text is not analysed; empty when it is."""
        if self.mode == "basic":
            return _("Basic mode: only the summary was made.")
        config = GenerationConfig.parse(self.config or {})
        if not config.enabled:
            return _("All features are switched off: only the summary was made.")
        shortest = config.dynamic_threshold.min_chapter_length
        if len(content.strip()) < shortest:
            return _(
                "The chapter is shorter than %(shortest)d characters: only the summary was made."
            ) % {"shortest": shortest}
        return ""


class AnalysisOptionsSerializer(serializers.Serializer[AnalysisOptions]):
    # What the model that ``generation_config`` names is to do.
    model_for: ClassVar[str] = ANALYSIS

    mode = serializers.ChoiceField(choices=["enhanced", "basic"], default="enhanced")
    priority = serializers.IntegerField(min_value=1, max_value=10, default=DEFAULT_PRIORITY)
    generation_config = serializers.JSONField(required=False)

    def validate_priority(self, value: int) -> int:
        highest: int = settings.ARBORIS_MAX_PRIORITY
        if "priority" not in self.initial_data:  # the default, which nobody has asked for
            return min(value, highest)
        if isinstance(self.initial_data.get("priority"), bool):
            raise serializers.ValidationError(_("A valid integer is required."))
        if value > highest:
            raise serializers.ValidationError(_("Must be %(le)s or less.") % {"le": highest})
        return value

    def validate_generation_config(self, value: Any) -> dict[str, Any]:
        config = check_config(value)
        try:
            check_model(config.get("model_name") or "", self.model_for)
        except serializers.ValidationError as error:
            told = error.detail[0] if isinstance(error.detail, list) else error.detail
            raise serializers.ValidationError([f"model_name: {told}"]) from error
        return config

    def options(self) -> AnalysisOptions:
        data = self.validated_data
        return AnalysisOptions(data["mode"], data.get("priority"), data.get("generation_config"))


def check_config(value: Any) -> dict[str, Any]:
    """Return a valid generation_config as it was given, unknown keys too.

    Raises ValidationError, which names the key.
    """
    if not isinstance(value, dict):
        raise serializers.ValidationError(_("Must be a JSON object."))
    plain = json.dumps(value, ensure_ascii=False)
    if len(plain.encode("utf-8", "surrogatepass")) > MAX_CONFIG_BYTES:
        raise serializers.ValidationError(
            _("Larger than %(limit)d bytes.") % {"limit": MAX_CONFIG_BYTES}
        )
    for text in _texts(value):
        if problem := find_unstorable(text):
            raise serializers.ValidationError(problem)
    try:
        GenerationConfig.parse(value)
    except ConfigError as error:
        faults: dict[str, str] = {}
        for item in error.errors():
            # A number may be a float or an int: the branches complain one by one, the first counts.
            key = ".".join(str(part) for part in item["loc"] if not _is_branch(part))
            faults.setdefault(key, _sentence(item["type"], item.get("ctx", {})))
        raise serializers.ValidationError(
            [f"{key}: {sentence}" for key, sentence in faults.items()]
        ) from error
    return value


def _sentence(kind: str, context: Mapping[str, Any]) -> str:
    values = {
        name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()
    }
    return _(SENTENCES.get(kind, OTHERWISE)) % values


def _is_branch(part: str | int) -> bool:
    """Pydantic names the branch of a union in a location (``float``, ``constrained-int``)."""
    return isinstance(part, str) and part.split("[")[0] in {"float", "int", "constrained-float"}


def _texts(value: Any, depth: int = 1) -> Iterator[str]:
    """Every key and text in a JSON value. ValidationError where it is nested too deeply."""
    if depth > MAX_CONFIG_DEPTH:
        raise serializers.ValidationError(
            _("Nested more than %(limit)d levels deep.") % {"limit": MAX_CONFIG_DEPTH}
        )
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from _texts(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, depth + 1)
