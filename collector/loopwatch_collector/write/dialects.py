"""Which library wrote a span: told by its instrumentation scope, else by the attribute that says its kind."""

from functools import lru_cache
from typing import Final

from loopwatch_collector.write.kinds import KIND_SOURCES

# First match wins, so the narrower prefix comes first.
_SCOPE_PREFIXES: Final[tuple[tuple[str, str], ...]] = (
    ("loopwatch", "loopwatch"),
    ("com.anthropic.claude_code", "claude_code"),
    ("com.anthropic.claude-platform", "anthropic_platform"),
    ("com.anthropic.sdk", "anthropic"),
    ("openinference.", "openinference"),
    ("opentelemetry.instrumentation.genai.", "otel"),
    ("opentelemetry.instrumentation.openai_v2", "otel"),
    ("opentelemetry.instrumentation.", "traceloop"),
    ("traceloop.", "traceloop"),
    ("logfire", "logfire"),
    ("pydantic-ai", "pydantic_ai"),
    ("langfuse-sdk", "langfuse"),
    ("strands", "strands"),
    ("gcp.vertex.agent", "google_adk"),
    ("litellm", "litellm"),
    ("langsmith", "langsmith"),
    ("mlflow", "mlflow"),
    ("lmnr", "laminar"),
    ("genkit-tracer", "genkit"),
    ("sentry", "sentry"),
)

# Read as their documents and other readers describe them. No payload of theirs is among the tests' data, so nothing
# is claimed for them; the others are held to what their libraries really sent (tests/data/dialects).
KNOWN_FROM_DOCUMENTS: Final = frozenset({"anthropic_platform", "sentry"})
_VERCEL_SCOPES: Final = frozenset({"ai", "gen_ai"})  # version 7 writes the conventions under the second


@lru_cache(maxsize=1_024)
def of_scope(scope: str) -> str:
    """The dialect of an instrumentation scope; "" when its name says nothing."""
    if scope in _VERCEL_SCOPES:
        return "vercel"
    return next((dialect for prefix, dialect in _SCOPE_PREFIXES if scope.startswith(prefix)), "")


def all_dialects() -> frozenset[str]:
    """Every dialect that is told apart."""
    return frozenset({"vercel", *(dialect for _, dialect in _SCOPE_PREFIXES)})


def of_kind_source(rank: int) -> str:
    """The dialect of a span whose kind that source decided."""
    return KIND_SOURCES[rank][2]
