"""The libraries that can be run: what to install, which workload shows them, how their spans should be read."""

from typing import Literal, NamedTuple

OTLP = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http")
OTLP_NODE = ("@opentelemetry/api", "@opentelemetry/sdk-trace-node", "@opentelemetry/exporter-trace-otlp-proto")


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
        traces_streams: whether streamed calls get spans; without it only the first call of a workload is seen.
        variables: more of its environment; `{sink}` and `{api}` stand for the base URLs.
        major: of a package from npm, the major version to run; "" for a package from PyPI.
    """

    name: str
    workload: str
    dialect: str
    requirements: tuple[str, ...] = ()
    traces_tools: bool = True
    tells_conversation: bool = True
    tells_agent: bool = True
    traces_streams: bool = True
    variables: tuple[tuple[str, str], ...] = ()
    major: str = ""

    @property
    def runtime(self) -> Literal["python", "node"]:
        """What runs the workload."""
        return "node" if self.major else "python"

    @property
    def folder(self) -> str:
        """Where its packages live, below the cache."""
        return f"{self.name}-{self.major}" if self.major else self.name


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
    Library(
        "opentelemetry-instrumentation-anthropic",
        "traceloop_sdk",
        "traceloop",
        ("anthropic", "traceloop-sdk==0.62.4", "httpx"),
    ),
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
        "mlflow",  # mlflow-tracing 3.17.2 and no more than that ends no span: it misses parts that only mlflow brings
        "mlflow_tracing",
        "mlflow",
        ("opentelemetry-exporter-otlp-proto-http", "anthropic"),
        tells_conversation=False,
        traces_streams=False,
        variables=(
            ("MLFLOW_ENABLE_OTLP_EXPORTER", "true"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "{sink}/v1/traces"),
            ("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db"),
        ),
    ),
    Library(
        "litellm",
        "litellm_sdk",
        "litellm",
        (*OTLP, "mcp"),
        traces_tools=False,
        tells_conversation=False,
        tells_agent=False,
    ),
    Library("google-adk", "google_adk_agent", "google_adk", (*OTLP, "anthropic")),
    Library("claude-agent-sdk", "claude_agent", "claude_code", tells_agent=False, tells_conversation=False),
    Library("genkit", "genkit_flow", "genkit", (*OTLP, "genkit-anthropic"), tells_conversation=False),
    Library("ai", "vercel_ai", "vercel", ("@ai-sdk/anthropic@3", "zod", *OTLP_NODE), major="6"),
    Library(
        "ai",
        "vercel_ai",
        "vercel",
        ("@ai-sdk/anthropic", "@ai-sdk/otel", "zod", *OTLP_NODE),
        tells_conversation=False,
        major="7",
    ),
)
