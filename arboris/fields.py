"""Fields of the API that take what the database can hold, and no more than that."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import serializers

from arboris.storable import find_unstorable


class Text(serializers.CharField):
    """A CharField that takes texts alone, and not a number for its digits."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if problem := find_unstorable(data):
            raise serializers.ValidationError(problem)
        return super().to_internal_value(data)


class StorableText(Text):
    """Text of any length up to the limit, kept to the letter; NUL and half characters refused."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str) and (problem := find_unstorable(data)):
            raise serializers.ValidationError(problem)
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if text and not text.strip() and not self.allow_blank:
            self.fail("blank")
        if len(text) > settings.ARBORIS_MAX_CHAPTER_CHARS:
            raise serializers.ValidationError(
                _("The text has %(length)d characters; %(limit)d are allowed.")
                % {"length": len(text), "limit": settings.ARBORIS_MAX_CHAPTER_CHARS}
            )
        return text


class WholeNumber(serializers.IntegerField):
    """An IntegerField that takes JSON's whole numbers alone: no text, no fraction, no truth."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))
