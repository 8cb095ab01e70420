"""The libraries that can be run: what to install, which workload shows them, how their spans should be read."""

from typing import NamedTuple

OTLP = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http")


class Library(NamedTuple):
    """One library.

    Attributes:
        name: its package.
        workload: the module of tests/compat/workloads that uses it.
        dialect: what the collector should take its spans for.
        requirements: what to install beside it.
        traces_tools: whether the workload's tools get spans.
        tells_conversation: whether the workload can name the conversation on spans.
        tells_agent: whether the workload can name the agent on spans.
        variables: more of its environment; `{sink}` and `{api}` stand for the base URLs.
    """

    name: str
    workload: str
    dialect: str
    requirements: tuple[str, ...] = ()
    traces_tools: bool = True
    tells_conversation: bool = True
    tells_agent: bool = True
    variables: tuple[tuple[str, str], ...] = ()


LIBRARIES: tuple[Library, ...] = (
    Library("anthropic", "anthropic_native", "anthropic", OTLP, tells_agent=False),
    Library(
        "opentelemetry-instrumentation-genai-anthropic",
        "opentelemetry_genai",
        "otel",
        (*OTLP, "anthropic"),
        traces_tools=False,
        tells_agent=False,
    ),
    Library(
        "openinference-instrumentation-anthropic", "openinference_anthropic", "openinference", (*OTLP, "anthropic")
    ),
    Library("opentelemetry-instrumentation-anthropic", "traceloop_sdk", "traceloop", ("anthropic", "traceloop-sdk")),
    Library(
        "logfire",
        "logfire_anthropic",
        "logfire",
        ("anthropic",),
        traces_tools=False,
        tells_conversation=False,
        tells_agent=False,
    ),
    Library("pydantic-ai-slim", "pydantic_ai_agent", "pydantic_ai", (*OTLP, "pydantic-ai-slim[anthropic]")),
    Library(
        "langfuse",
        "langfuse_sdk",
        "langfuse",
        (*OTLP, "anthropic"),
        variables=(
            ("LANGFUSE_BASE_URL", "{sink}"),
            ("LANGFUSE_PUBLIC_KEY", "pk-lf-unused"),
            ("LANGFUSE_SECRET_KEY", "sk-lf-unused"),
        ),
    ),
    Library(
        "langsmith",
        "langsmith_sdk",
        "langsmith",
        ("langsmith[otel]", "anthropic"),
        variables=(
            ("LANGSMITH_TRACING", "true"),
            ("LANGSMITH_TRACING_MODE", "otel"),
            ("LANGSMITH_API_KEY", "unused"),
            # LangSmith opens no OpenTelemetry context: the client's own spans would become traces of their own.
            ("ANTHROPIC_OPEN_TELEMETRY", "false"),
        ),
    ),
    Library("strands-agents", "strands_agent", "strands", ("strands-agents[anthropic,otel]",)),
    Library("lmnr", "laminar_sdk", "laminar", ("anthropic",)),
    Library(
        "mlflow-tracing",
        "mlflow_tracing",
        "mlflow",
        (*OTLP, "anthropic"),
        variables=(
            ("MLFLOW_ENABLE_OTLP_EXPORTER", "true"),
            ("MLFLOW_TRACKING_URI", "{sink}"),  # its default, a database, needs all of mlflow
            ("MLFLOW_EXPERIMENT_ID", "1"),  # without one it asks the database for a default
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "{sink}/v1/traces"),
        ),
    ),
    Library("litellm", "litellm_sdk", "litellm", OTLP, traces_tools=False, tells_agent=False),
    Library("google-adk", "google_adk_agent", "google_adk", (*OTLP, "anthropic")),
    Library("claude-agent-sdk", "claude_agent", "claude_code", tells_agent=False, tells_conversation=False),
)
