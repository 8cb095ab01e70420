"""What a span is, in our words, from the words of each dialect."""

from typing import Any, Final

from loopwatch_collector.write.values import Reader, text, unquoted

RUN: Final = "run"
ITERATION: Final = "iteration"
STEP: Final = "step"
MODEL_CALL: Final = "model_call"
TOOL_CALL: Final = "tool_call"
OTHER: Final = "other"
# Becomes the run when nothing is above it, else a step: a chain or workflow around agents or within one.
WORKFLOW: Final = "workflow"

_OURS: Final = {kind: kind for kind in (RUN, ITERATION, STEP, MODEL_CALL, TOOL_CALL, OTHER)}

_OPERATIONS: Final = {
    "chat": MODEL_CALL,
    "generate_content": MODEL_CALL,
    "text_completion": MODEL_CALL,
    "embeddings": MODEL_CALL,
    "invoke_agent": RUN,
    "execute_tool": TOOL_CALL,
    "invoke_workflow": WORKFLOW,
    "plan": STEP,
    "execute_event_loop_cycle": ITERATION,  # Strands
    "agent_step": ITERATION,  # Vercel AI SDK 7
    # What follows the conventions name, and is none of ours.
    **dict.fromkeys(
        ("retrieval", "create_agent", "fetch_response", "create_memory_store", "delete_memory_store", "create_memory",
         "update_memory", "upsert_memory", "search_memory", "delete_memory"), OTHER,
    ),
}  # fmt: skip

_LANGFUSE: Final = {
    "generation": MODEL_CALL,
    "embedding": MODEL_CALL,
    "agent": RUN,
    "tool": TOOL_CALL,
    "chain": WORKFLOW,
    "span": WORKFLOW,
    **dict.fromkeys(("event", "retriever", "guardrail", "evaluator"), OTHER),
}

_OPENINFERENCE: Final = {
    "LLM": MODEL_CALL,
    "EMBEDDING": MODEL_CALL,
    "AGENT": RUN,
    "TOOL": TOOL_CALL,
    "CHAIN": WORKFLOW,
    **dict.fromkeys(("RETRIEVER", "RERANKER", "GUARDRAIL", "EVALUATOR", "PROMPT", "DECISION"), OTHER),
}

_TRACELOOP: Final = {"workflow": WORKFLOW, "task": STEP, "agent": RUN, "tool": TOOL_CALL}
_TRACELOOP_REQUEST: Final = {"chat": MODEL_CALL, "completion": MODEL_CALL, "embedding": MODEL_CALL, "rerank": OTHER}

_LANGSMITH: Final = {
    "llm": MODEL_CALL,
    "embedding": MODEL_CALL,
    "tool": TOOL_CALL,
    "chain": WORKFLOW,
    **dict.fromkeys(("retriever", "prompt", "parser"), OTHER),
}

_MLFLOW: Final = {
    "LLM": MODEL_CALL,
    "CHAT_MODEL": MODEL_CALL,
    "EMBEDDING": MODEL_CALL,
    "AGENT": RUN,
    "TOOL": TOOL_CALL,
    "CHAIN": WORKFLOW,
    **dict.fromkeys(("RETRIEVER", "RERANKER", "PARSER", "EVALUATOR", "GUARDRAIL"), OTHER),
}

_LAMINAR: Final = {"LLM": MODEL_CALL, "TOOL": TOOL_CALL, "DEFAULT": WORKFLOW}
_GENKIT: Final = {
    "model": MODEL_CALL,
    "background-model": MODEL_CALL,
    "embedder": MODEL_CALL,
    "tool": TOOL_CALL,
    "tool.v2": TOOL_CALL,
    "flow": WORKFLOW,
    "agent": RUN,
    **dict.fromkeys(("retriever", "indexer", "reranker", "evaluator", "prompt", "util"), OTHER),
}

_CLAUDE_CODE: Final = {
    "interaction": RUN,
    "llm_request": MODEL_CALL,
    "tool": TOOL_CALL,
    **dict.fromkeys(("tool.execution", "tool.blocked_on_user", "hook"), OTHER),
}


def _mapped(table: dict[str, str], read: Reader = text) -> Reader:
    def kind_of(value: Any) -> str | None:
        word = read(value)
        return None if word is None else table.get(word)

    return kind_of


def _vercel(value: Any) -> str | None:
    # The outer ai.generateText repeats the usage of the inner .doGenerate: only the inner one is a call.
    operation = text(value) or ""
    if not operation.startswith("ai."):
        return None
    name = operation.split(" ")[0]
    if name == "ai.toolCall":
        return TOOL_CALL
    return MODEL_CALL if name.rsplit(".", 1)[-1] in {"doGenerate", "doStream", "doEmbed"} else WORKFLOW


# attribute, how its words map, and the dialect a span speaks whose kind it decides; first present wins.
KIND_SOURCES: Final[tuple[tuple[str, Reader, str], ...]] = (
    ("loopwatch.kind", _mapped(_OURS), "loopwatch"),
    ("langfuse.observation.type", _mapped(_LANGFUSE), "langfuse"),
    ("openinference.span.kind", _mapped(_OPENINFERENCE), "openinference"),
    ("gen_ai.operation.name", _mapped(_OPERATIONS), "otel"),
    ("traceloop.span.kind", _mapped(_TRACELOOP), "traceloop"),
    ("llm.request.type", _mapped(_TRACELOOP_REQUEST), "traceloop"),
    ("genkit:metadata:subtype", _mapped(_GENKIT), "genkit"),
    ("ai.operationId", _vercel, "vercel"),
    ("operation.name", _vercel, "vercel"),
    ("langsmith.span.kind", _mapped(_LANGSMITH), "langsmith"),
    ("mlflow.spanType", _mapped(_MLFLOW, unquoted), "mlflow"),
    ("lmnr.span.type", _mapped(_LAMINAR), "laminar"),
    ("span.type", _mapped(_CLAUDE_CODE), "claude_code"),
)
