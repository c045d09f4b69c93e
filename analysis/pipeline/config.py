"""``generation_config``: which features run and what counts as sure. Unknown keys are kept."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from arboris.bible.findings import FEATURES, Feature

Fraction = Annotated[StrictFloat | StrictInt, Field(ge=0, le=1)]


class EnhancedFeatures(BaseModel):
    model_config = ConfigDict(extra="allow")

    character_tracking: StrictBool = True
    new_character_detection: StrictBool = True
    world_expansion: StrictBool = True
    foreshadowing: StrictBool = True


class DynamicThreshold(BaseModel):
    model_config = ConfigDict(extra="allow")

    # Characters of text (code points, white space at the ends aside).
    min_chapter_length: Annotated[StrictInt, Field(ge=0, le=1_000_000)] = 200
    confidence_threshold: Fraction = 0.5


class GenerationConfig(BaseModel):
    model_config = ConfigDict(extra="allow", protected_namespaces=())

    enhanced_features: EnhancedFeatures = Field(default_factory=EnhancedFeatures)
    dynamic_threshold: DynamicThreshold = Field(default_factory=DynamicThreshold)
    model_name: Annotated[StrictStr, Field(min_length=1, max_length=200)] | None = None
    temperature: Annotated[StrictFloat | StrictInt, Field(ge=0, le=2)] | None = None


def enabled_features(config: dict[str, Any]) -> tuple[Feature, ...]:
    """The features that are switched on, in their fixed order."""
    switches = GenerationConfig.model_validate(config).enhanced_features
    return tuple(feature for feature in FEATURES if getattr(switches, feature))
