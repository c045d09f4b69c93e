"""Columns that count durations by how long they were, as Prometheus' histograms are counted."""

from __future__ import annotations

from bisect import bisect_left
from typing import ClassVar

from django.db import models


class Histogram(models.Model):
    """A column for each of ``BOUNDS``: what took no longer, and longer than the one before says."""

    # Upper bounds in seconds, as many as there are columns; what took longer is in ``le_inf``.
    BOUNDS: ClassVar[tuple[float, ...]]
    BUCKETS = (*(f"le_{place}" for place in range(10)), "le_inf")

    le_0 = models.BigIntegerField(default=0)
    le_1 = models.BigIntegerField(default=0)
    le_2 = models.BigIntegerField(default=0)
    le_3 = models.BigIntegerField(default=0)
    le_4 = models.BigIntegerField(default=0)
    le_5 = models.BigIntegerField(default=0)
    le_6 = models.BigIntegerField(default=0)
    le_7 = models.BigIntegerField(default=0)
    le_8 = models.BigIntegerField(default=0)
    le_9 = models.BigIntegerField(default=0)
    le_inf = models.BigIntegerField(default=0)

    class Meta:
        abstract = True

    @classmethod
    def bucket_of(cls, seconds: float) -> str:
        """The column that counts it."""
        return cls.BUCKETS[bisect_left(cls.BOUNDS, seconds)]
