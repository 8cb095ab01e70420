"""Names of every attribute, event and metric Loopwatch writes or reads first.

The leaf of the SDK: it imports nothing, so the collector may import it too. Names of the
OpenTelemetry GenAI conventions are spelled out here because the packaged constants are all
marked deprecated since the conventions moved to their own repository
(open-telemetry/semantic-conventions-genai).
"""

# OpenTelemetry GenAI conventions
OPERATION_NAME = "gen_ai.operation.name"
PROVIDER_NAME = "gen_ai.provider.name"
AGENT_NAME = "gen_ai.agent.name"
AGENT_VERSION = "gen_ai.agent.version"
CONVERSATION_ID = "gen_ai.conversation.id"
PROMPT_NAME = "gen_ai.prompt.name"
PROMPT_VERSION = "gen_ai.prompt.version"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_STREAM = "gen_ai.request.stream"
RESPONSE_MODEL = "gen_ai.response.model"
RESPONSE_ID = "gen_ai.response.id"
FINISH_REASONS = "gen_ai.response.finish_reasons"
TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS = "gen_ai.usage.cache_write.input_tokens"
REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
TOOL_NAME = "gen_ai.tool.name"
TOOL_CALL_ID = "gen_ai.tool.call.id"
TOOL_ARGUMENTS = "gen_ai.tool.call.arguments"
TOOL_RESULT = "gen_ai.tool.call.result"
TOOL_DEFINITIONS = "gen_ai.tool.definitions"
EVALUATION_EVENT = "gen_ai.evaluation.result"
EVALUATION_NAME = "gen_ai.evaluation.name"
EVALUATION_SCORE = "gen_ai.evaluation.score.value"
EVALUATION_LABEL = "gen_ai.evaluation.score.label"
EVALUATION_EXPLANATION = "gen_ai.evaluation.explanation"

# Values of gen_ai.operation.name that we write
OPERATION_INVOKE_AGENT = "invoke_agent"
OPERATION_EXECUTE_TOOL = "execute_tool"
OPERATION_CHAT = "chat"
OPERATION_PLAN = "plan"

# OpenTelemetry, general
ENVIRONMENT = "deployment.environment.name"
ERROR_TYPE = "error.type"
SERVICE_NAME = "service.name"
SERVICE_VERSION = "service.version"
USER_ID = "user.id"

# Anthropic's own spans: the split of cache writes by lifetime
ANTHROPIC_CACHE_WRITE_5M_TOKENS = "anthropic.usage.cache_creation.ephemeral_5m_input_tokens"
ANTHROPIC_CACHE_WRITE_1H_TOKENS = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"

# Ours: on every span of a run
RUN_ID = "loopwatch.run.id"
PARENT_RUN_ID = "loopwatch.parent_run.id"
ITERATION = "loopwatch.iteration"
STEP = "loopwatch.step"
CUSTOMER_ID = "loopwatch.customer.id"
TAGS = "loopwatch.tags"
SEQ = "loopwatch.seq"

# Ours: what a span is, where no convention says it ("run", "iteration", "step", "model_call", "tool_call")
KIND = "loopwatch.kind"

# Ours: on the run
OUTCOME = "loopwatch.outcome"
OUTCOME_REASON = "loopwatch.outcome.reason"
LIMIT_NAME = "loopwatch.limit.name"
LIMIT_VALUE = "loopwatch.limit.value"
LIMIT_CAP = "loopwatch.limit.cap"
LIMITS_PREFIX = "loopwatch.limits."  # + iterations, tokens, cost_usd, duration_s, identical_calls: the caps in force
INPUT = "loopwatch.input"  # content: the arguments of the agent's function, JSON
OUTPUT = "loopwatch.output"  # content: what it returned, JSON
INPUT_HASH = "loopwatch.input.hash"
INPUT_BYTES = "loopwatch.input.bytes"
OUTPUT_HASH = "loopwatch.output.hash"
OUTPUT_BYTES = "loopwatch.output.bytes"

COST_USD = "loopwatch.cost_usd"  # what the run's model calls cost by the prices the SDK knew, if it knew them all

# Ours: on a tool call
TOOL_OUTCOME = "loopwatch.tool.outcome"  # success | not_found | error
TOOL_RETRYABLE = "loopwatch.tool.retryable"
TOOL_ARGUMENTS_HASH = "loopwatch.tool.arguments.hash"
TOOL_ARGUMENTS_BYTES = "loopwatch.tool.arguments.bytes"
TOOL_RESULT_HASH = "loopwatch.tool.result.hash"
TOOL_RESULT_BYTES = "loopwatch.tool.result.bytes"

# Ours: on a model call
TOOLS_OFFERED = "loopwatch.tools.offered"
TOOLS_SCHEMA_BYTES = "loopwatch.tools.schema_bytes"
SERVICE_TIER = "loopwatch.service_tier"
WEB_SEARCH_REQUESTS = "loopwatch.usage.web_search_requests"

# Events, and their attributes
DECISION_EVENT = "loopwatch.decision"
DECISION_NAME = "loopwatch.decision.name"
DECISION_CHOICE = "loopwatch.decision.choice"
DECISION_CONFIDENCE = "loopwatch.decision.confidence"  # 0..1
DECISION_REASONING = "loopwatch.decision.reasoning"
ESCALATION_EVENT = "loopwatch.escalation"
ESCALATION_REASON = "loopwatch.escalation.reason"
ESCALATION_PRIORITY = "loopwatch.escalation.priority"
ESCALATION_LAST_TOOL = "loopwatch.escalation.last_tool"
ESCALATION_ITERATION = "loopwatch.escalation.iteration"
ESCALATION_COST_USD = "loopwatch.escalation.cost_usd"
LOOP_EVENT = "loopwatch.loop"
LOOP_KIND = "loopwatch.loop.kind"  # identical_calls | cycle | no_progress | retry_storm | polling
LOOP_TOOL = "loopwatch.loop.tool"
LOOP_CALLS = "loopwatch.loop.calls"
LOOP_EXPLANATION = "loopwatch.loop.explanation"
LIMIT_EVENT = "loopwatch.limit"

# Resource
PROCESS_ID = "loopwatch.process.id"
SDK_VERSION = "loopwatch.sdk.version"

# Metrics
DROPPED_SPANS_METRIC = "loopwatch.sdk.dropped_spans"  # cumulative sum, attribute loopwatch.drop.reason
DROP_REASON = "loopwatch.drop.reason"

# Attributes that carry content: present only with capture on, redacted and size-capped in the exporter
CONTENT_ATTRIBUTES = frozenset(
    {
        INPUT,
        OUTPUT,
        INPUT_MESSAGES,
        OUTPUT_MESSAGES,
        SYSTEM_INSTRUCTIONS,
        TOOL_ARGUMENTS,
        TOOL_RESULT,
        TOOL_DEFINITIONS,
    }
)
