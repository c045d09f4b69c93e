"""The part of the settings that is about language models: endpoints, calls, costs, budgets."""

from __future__ import annotations

from arboris.env import Env
from arboris.llm import effort, endpoints, routes
from arboris.llm.accounting import prices

env = Env()

ARBORIS_LLM_BASE_URL = env.url("ARBORIS_LLM_BASE_URL", schemes=["http", "https"])
ARBORIS_LLM_API_KEY = env.text("ARBORIS_LLM_API_KEY")
ARBORIS_LLM_MODEL = env.text("ARBORIS_LLM_MODEL")
# Which other models may be asked for at this endpoint; none named: any.
ARBORIS_LLM_MODELS = env.items("ARBORIS_LLM_MODELS")
# Further endpoints, by name, and which model does what.
ARBORIS_LLM_ENDPOINTS = endpoints.table("ARBORIS_LLM_ENDPOINTS", env.text("ARBORIS_LLM_ENDPOINTS"))
ARBORIS_LLM_ROUTES = routes.table(
    "ARBORIS_LLM_ROUTES", env.text("ARBORIS_LLM_ROUTES"), ARBORIS_LLM_ENDPOINTS
)
ARBORIS_LLM_TIMEOUT = env.number("ARBORIS_LLM_TIMEOUT", 120, low=1, high=3600)
ARBORIS_LLM_TOTAL_TIMEOUT = env.number("ARBORIS_LLM_TOTAL_TIMEOUT", 300, low=1, high=86_400)
ARBORIS_LLM_CACHE_WAIT = env.number("ARBORIS_LLM_CACHE_WAIT", 0, low=0, high=60)
ARBORIS_LLM_CHUNK_CHARS = env.whole("ARBORIS_LLM_CHUNK_CHARS", 12_000, low=1_000, high=1_000_000)
# Calls side by side for one chapter; the endpoint sees up to this times ARBORIS_MAX_CONCURRENT.
ARBORIS_LLM_CONCURRENCY = env.whole("ARBORIS_LLM_CONCURRENCY", 8, low=1, high=64)
# Who writes the summary of a chapter that is saved; auto: the model of what it wrote itself, and of
# all chapters where it analyses too.
ARBORIS_SUMMARY = env.choice("ARBORIS_SUMMARY", "auto", ["auto", "extractive", "llm"])
# The writer waits for it: a model that takes longer is done without.
ARBORIS_SUMMARY_TIMEOUT = env.number("ARBORIS_SUMMARY_TIMEOUT", 20, low=0.1, high=300)
# While a chapter is written by the model, what has arrived is saved so often.
ARBORIS_DRAFT_SECONDS = env.number("ARBORIS_DRAFT_SECONDS", 3, low=0.1, high=600)

# Calls at the endpoint at one time, over all processes of all clusters; 0: any number.
ARBORIS_LLM_MAX_CALLS = env.whole("ARBORIS_LLM_MAX_CALLS", 0, low=0, high=1000)
# Until the first piece of an answer; 0: as long as for every other piece.
ARBORIS_LLM_FIRST_TOKEN_TIMEOUT = env.number("ARBORIS_LLM_FIRST_TOKEN_TIMEOUT", 0, low=0, high=3600)
# New tries of a call that was refused for the moment, within its own time.
ARBORIS_LLM_RETRIES = env.whole("ARBORIS_LLM_RETRIES", 2, low=0, high=10)
# Most tokens of one answer; 0: what the endpoint allows.
ARBORIS_LLM_MAX_TOKENS = env.whole("ARBORIS_LLM_MAX_TOKENS", 0, low=0, high=1_000_000)
# How much the model thinks before it answers, for each purpose; empty: what the endpoint does.
ARBORIS_LLM_EFFORT = effort.table("ARBORIS_LLM_EFFORT", env.text("ARBORIS_LLM_EFFORT"))
ARBORIS_LLM_PRICES = prices.table("ARBORIS_LLM_PRICES", env.text("ARBORIS_LLM_PRICES"))
ARBORIS_LLM_CURRENCY = env.text("ARBORIS_LLM_CURRENCY", "USD")
# For one novel, and for one writer, in a calendar month (UTC); 0: none.
ARBORIS_LLM_BUDGET_PROJECT = env.amount("ARBORIS_LLM_BUDGET_PROJECT")
ARBORIS_LLM_BUDGET_WRITER = env.amount("ARBORIS_LLM_BUDGET_WRITER")
# The log of calls, longer than what it was spent on: a year and its settling; 0: for ever.
ARBORIS_LLM_KEEP_DAYS = env.whole("ARBORIS_LLM_KEEP_DAYS", 400, low=0, high=36_500)
