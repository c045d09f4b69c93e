"""``generation_config``: which features run and what counts as sure. Unknown keys are kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    create_model,
)

from analysis.features import FEATURES, FeatureKey

Fraction = Annotated[StrictFloat | StrictInt, Field(ge=0, le=1)]


class EnhancedFeatures(BaseModel):
    """One switch for each feature; ``_model`` adds them."""

    model_config = ConfigDict(extra="allow")


class DynamicThreshold(BaseModel):
    model_config = ConfigDict(extra="allow")

    # Characters of text (code points, white space at the ends aside).
    min_chapter_length: Annotated[StrictInt, Field(ge=0, le=1_000_000)] = 200
    confidence_threshold: Fraction = 0.5


class GenerationConfig(BaseModel):
    """Build it with ``parse``, which knows the switches of all features."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    enhanced_features: EnhancedFeatures = Field(default_factory=EnhancedFeatures)
    dynamic_threshold: DynamicThreshold = Field(default_factory=DynamicThreshold)
    model_name: Annotated[StrictStr, Field(min_length=1, max_length=200)] | None = None
    temperature: Annotated[StrictFloat | StrictInt, Field(ge=0, le=2)] | None = None

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> GenerationConfig:
        """A checked configuration; raises pydantic's ValidationError."""
        return _model(tuple(FEATURES)).model_validate(config)

    @property
    def enabled(self) -> tuple[FeatureKey, ...]:
        """The features that are switched on, in the order in which they run.

        One that compares goes along with others; alone it runs only where it is asked for by name.
        """
        switches = self.enhanced_features
        on = tuple(key for key in FEATURES if getattr(switches, key))
        by_name = switches.model_fields_set
        return on if any(not FEATURES[key].compares or key in by_name for key in on) else ()


@cache
def _model(keys: tuple[FeatureKey, ...]) -> type[GenerationConfig]:
    fields: dict[str, Any] = dict.fromkeys(keys, (StrictBool, True))
    switches = create_model("EnhancedFeatures", __base__=EnhancedFeatures, **fields)
    model = create_model(
        "GenerationConfig",
        __base__=GenerationConfig,
        enhanced_features=(switches, Field(default_factory=switches)),
    )
    return cast(type[GenerationConfig], model)


def enabled_features(config: Mapping[str, Any], *, compares: bool) -> tuple[FeatureKey, ...]:
    """Those that an analysis delivers. ``compares``: whether there is anything to compare with."""
    enabled = GenerationConfig.parse(config).enabled
    return tuple(key for key in enabled if compares or not FEATURES[key].compares)
