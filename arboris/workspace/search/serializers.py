"""What the calls that search and replace take and give."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from arboris.fields import StorableText, WholeNumber
from arboris.rest import HIGHEST_ID
from arboris.workspace.search.replacing import Wish

LONGEST_QUERY = 200  # characters
LONGEST_WORDS = 1000
MOST_CHAPTERS = 5000


class HitSerializer(serializers.Serializer[Any]):
    """A place in a chapter's newest text, in code points, and the words around it."""

    chapter_id = serializers.IntegerField(source="chapter.id")
    chapter_number = serializers.IntegerField(source="chapter.number")
    title = serializers.CharField(source="chapter.title")
    version = serializers.IntegerField(source="chapter.version")
    unsaved = serializers.BooleanField(
        source="chapter.unsaved", help_text="It stands in the working copy, in no version yet."
    )
    offset = serializers.IntegerField()
    length = serializers.IntegerField()
    snippet = serializers.SerializerMethodField(help_text="With … on each side that was cut.")
    snippet_offset = serializers.SerializerMethodField(help_text="Where the hit is in the snippet.")

    def get_snippet(self, hit: Any) -> str:
        return str(hit.excerpt[0])

    def get_snippet_offset(self, hit: Any) -> int:
        return int(hit.excerpt[1])


class FoundSerializer(serializers.Serializer[Any]):
    names = serializers.ListField(
        child=serializers.CharField(),
        help_text="What was searched for: q, and whatever else the person or thing is called.",
    )
    total = serializers.IntegerField()
    chapters = serializers.IntegerField(help_text="In how many chapters.")
    hits = HitSerializer(many=True)


class NamedChapterSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    chapter_number = serializers.IntegerField()
    title = serializers.CharField()


class EntrySerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    name = serializers.CharField()


class GoToSerializer(serializers.Serializer[Any]):
    chapters = NamedChapterSerializer(many=True)
    entries = EntrySerializer(many=True)
    passages = HitSerializer(many=True)


class QuerySerializer(serializers.Serializer[Any]):
    q = StorableText(max_length=LONGEST_QUERY)


class WishSerializer(QuerySerializer):
    chapters = serializers.ListField(
        child=WholeNumber(min_value=1, max_value=HIGHEST_ID),
        max_length=MOST_CHAPTERS,
        required=False,
        help_text="Ids; left out: all chapters of the novel.",
    )
    base_versions = serializers.DictField(
        child=WholeNumber(min_value=1),
        required=False,
        help_text="Chapter id → the version that was looked at. Another one is not touched.",
    )
    aliases = serializers.BooleanField(
        default=False, help_text="Replace every name of the person or thing that q names."
    )
    preview = serializers.BooleanField(
        default=False, help_text="Only say what would be done; nothing is saved."
    )

    def get_fields(self) -> dict[str, Any]:
        # No class can have an attribute of this name.
        words = StorableText(max_length=LONGEST_WORDS, allow_blank=True)
        return {**super().get_fields(), "with": words}

    def validate_base_versions(self, value: dict[str, int]) -> dict[int, int]:
        try:
            return {int(pk): version for pk, version in value.items()}
        except ValueError:
            raise serializers.ValidationError(_("The keys are ids of chapters.")) from None

    def wish(self) -> Wish:
        data = self.validated_data
        wanted = set(data["chapters"]) if "chapters" in data else None
        bases = data.get("base_versions", {})
        return Wish(data["q"], data["with"], data["aliases"], wanted, bases)


class ReplacedSerializer(serializers.Serializer[Any]):
    chapter_id = serializers.IntegerField(source="chapter.id")
    chapter_number = serializers.IntegerField(source="chapter.number")
    title = serializers.CharField(source="chapter.title")
    version = serializers.IntegerField(help_text="The newest one: the base of the next change.")
    count = serializers.IntegerField(help_text="Hits.")
    status = serializers.CharField(
        help_text="ready: would be replaced. replaced. Otherwise nothing is changed, and this is "
        "why: unsaved, changed, draft, none (no hits), same, empty, too_long, deleted."
    )
    undo = serializers.IntegerField(
        allow_null=True, help_text="The version before: restore it to take the change back."
    )
    hits = HitSerializer(many=True)


class OutcomeSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField(help_text="Hits that are, or would be, replaced.")
    chapters = ReplacedSerializer(many=True)
    left = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="Ids of the chapters that this call did not get to: call again with them.",
    )
