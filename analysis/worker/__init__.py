"""The worker: its loop over what is due, and the steward beside it.

``run_due`` is named in wake-ups that older versions have left in the database.
"""

from analysis.worker.loop import run_due

__all__ = ["run_due"]
