"""Run as a module with the settings of a site: a day of history for the picture of the overview."""

from __future__ import annotations

import math
import os
from datetime import timedelta

import django

STEPS = {60: 60, 600: 144, 3600: 168}  # seconds, and how many of them are made


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")
    django.setup()
    from analysis import queue
    from analysis.overview import samples
    from analysis.overview.models import QueueSample
    from arboris.db import db_now

    now = db_now()
    for step, number in STEPS.items():
        # The counters end where the site's own stand.
        sums = samples.sums(now)
        QueueSample.objects.filter(step=step).delete()
        for back in range(1, number + 1):
            at = now - timedelta(seconds=step * back)
            wave = math.sin(back / number * 9) + math.sin(back / number * 31) / 3
            sums.completed -= int(14 + 8 * wave)
            sums.failed -= 6 if number * 0.55 < back < number * 0.65 else back % 7 == 0
            sums.cancelled -= back % 11 == 0
            waiting = max(0, int(40 + 45 * wave))
            sums.pk, sums.at, sums.step = None, at, step
            sums.slot = samples.slot_of(at, step)
            sums.pending, sums.due = waiting, waiting * 2 // 3
            sums.processing = min(3, waiting)
            sums.save(force_insert=True)
    queue.pause("the database moves to a new disk", by="staff")


if __name__ == "__main__":
    main()
