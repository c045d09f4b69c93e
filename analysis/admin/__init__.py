"""The operator's pages. Whatever they change goes through ``analysis.queue``."""

from analysis.admin import accounts, bulk, calls, control, groups, prompts, records, routes, tasks

__all__ = [
    "accounts",
    "bulk",
    "calls",
    "control",
    "groups",
    "prompts",
    "records",
    "routes",
    "tasks",
]
