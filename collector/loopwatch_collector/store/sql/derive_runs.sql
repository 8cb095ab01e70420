-- Derives the row of each named run from its spans and writes it, with a tombstone for every other day the
-- run has spans on (its start may have been there before an earlier span arrived).
--
-- A model call counts once however many spans report it: spans of equal call key are one call, and the one of
-- the highest rank (the lowest span id among equals) speaks for it. Aggregates on the run's own span count
-- only where no span of the run is a model call. Rows of the kind `event` are no spans: what they tell another row
-- tells (store/assembly.py); only that they lie in the run's stretch of time counts.
INSERT INTO runs (
    project, run_id, start_time, duration_ns, row_version, is_deleted, trace_id, parent_run_id,
    first_span_time, last_span_time, last_activity_time, spans,
    agent, agent_version, service, environment, conversation_id, customer_id, user_id, tags,
    prompt_name, prompt_version, ended, outcome, outcome_reason, limit_name, error_type, error_message,
    escalation_reason, escalation_priority, last_tool, iterations, iteration_cap,
    model_calls, tool_calls, tool_errors, tool_not_found,
    input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, unpriced_tokens, cost_usd,
    model_names, model_providers, model_call_counts, model_input_tokens, model_output_tokens,
    model_cache_read_tokens, model_cache_write_tokens, model_unpriced_tokens, model_costs_usd,
    input_cost_usd, output_cost_usd, cache_read_cost_usd, cache_write_cost_usd,
    tool_cost_names, tool_costs_usd, duplicate_span_ids,
    repeated_calls, repeated_arguments, repeated_results
)
WITH
    run_spans AS (
        SELECT
            *,
            -- the run's own span first, then any span without a parent; among equals the earliest
            multiIf(
                kind = 'run' AND parent_span_id = unhex('0000000000000000'), 0,
                kind = 'run', 1,
                parent_span_id = unhex('0000000000000000'), 2,
                3
            ) AS distance,
            (distance, start_time, span_id) AS precedence,
            cache_write_5m_tokens + cache_write_1h_tokens AS cache_write_tokens
        FROM spans FINAL
        WHERE project = {project:String}
            AND start_time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
            AND start_time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
            AND run_id IN {run_ids:Array(String)}
    ),
    facts AS (
        SELECT
            span.project,
            span.run_id,
            min(span.distance) < 3 AS ended,
            argMin(span.start_time, span.precedence) AS root_start_time,
            argMin(span.duration_ns, span.precedence) AS root_duration_ns,
            argMin(span.trace_id, span.precedence) AS trace_id,
            argMin(span.span_id, span.precedence) AS root_span_id,
            argMin(span.status, span.precedence) AS root_status,
            argMin(span.error_type, span.precedence) AS root_error_type,
            argMin(span.error_message, span.precedence) AS root_error_message,
            argMin(
                (span.input_tokens, span.output_tokens, span.cache_read_tokens, span.cache_write_tokens, span.reasoning_tokens,
                 ifNull(span.cost_usd, span.reported_cost_usd)),
                span.precedence
            ) AS root_usage,
            min(span.start_time) AS first_span_time,
            max(span.start_time) AS last_span_time,
            -- no span is believed to have lasted more than a year: the sum must not leave the type's range
            max(span.start_time + toIntervalNanosecond(least(span.duration_ns, 31536000000000000))) AS last_activity_time,
            countIf(span.kind != 'event') AS spans,
            groupUniqArray(toDate(span.start_time)) AS days,
            argMinIf(span.parent_run_id, span.precedence, span.parent_run_id != '') AS parent_run_id,
            argMinIf(span.agent, span.precedence, span.agent != '') AS agent,
            argMinIf(span.agent_version, span.precedence, span.agent_version != '') AS agent_version,
            argMinIf(span.service, span.precedence, span.service != '') AS service,
            argMinIf(span.environment, span.precedence, span.environment != '') AS environment,
            argMinIf(span.conversation_id, span.precedence, span.conversation_id != '') AS conversation_id,
            argMinIf(span.customer_id, span.precedence, span.customer_id != '') AS customer_id,
            argMinIf(span.user_id, span.precedence, span.user_id != '') AS user_id,
            argMinIf(span.tags, span.precedence, notEmpty(span.tags)) AS tags,
            argMinIf(span.prompt_name, span.precedence, span.prompt_name != '') AS prompt_name,
            argMinIf(span.prompt_version, span.precedence, span.prompt_version != '') AS prompt_version,
            groupUniqArrayIf(span.outcome, span.outcome != '' AND span.kind != 'event') AS outcomes,
            argMinIf(span.outcome_reason, span.precedence, span.outcome_reason != '') AS outcome_reason,
            argMinIf(span.limit_name, span.precedence, span.limit_name != '') AS limit_name,
            argMinIf(span.escalation_reason, span.precedence, span.escalation_reason != '' AND span.kind != 'event') AS escalation_reason,
            argMinIf(span.escalation_priority, span.precedence, span.escalation_priority != '' AND span.kind != 'event') AS escalation_priority,
            countIf((span.escalation_reason != '' OR has(span.event_names, 'loopwatch.escalation')) AND span.kind != 'event') > 0 AS handed_over,
            max(span.iteration_cap) AS iteration_cap,
            argMaxIf(span.tool, (span.start_time, span.span_id), span.kind = 'tool_call') AS last_tool,
            countIf(span.kind = 'tool_call') AS tool_calls,
            countIf(span.kind = 'tool_call' AND span.tool_outcome = 'error') AS tool_errors,
            countIf(span.kind = 'tool_call' AND span.tool_outcome = 'not_found') AS tool_not_found,
            countIf(span.kind = 'tool_call' AND span.arguments_hash != '') AS told_calls,
            told_calls - uniqExactIf(
                sipHash64(span.tool, span.arguments_hash, span.result_hash),
                span.kind = 'tool_call' AND span.arguments_hash != ''
            ) AS repeated_calls,
            told_calls - uniqExactIf(
                sipHash64(span.tool, span.arguments_hash), span.kind = 'tool_call' AND span.arguments_hash != ''
            ) AS repeated_arguments,
            -- results so short that they say the same of different things are no repeats
            countIf(span.kind = 'tool_call' AND span.arguments_hash != '' AND span.result_bytes >= 32) - uniqExactIf(
                sipHash64(span.tool, span.result_hash),
                span.kind = 'tool_call' AND span.arguments_hash != '' AND span.result_bytes >= 32
            ) AS repeated_results,
            greatest(countIf(span.kind = 'iteration'), max(span.iteration)) AS numbered_iterations,
            -- what reports a call, those that say the same of the same model side by side
            arraySort(
                call -> (
                    call.input_tokens + call.output_tokens = 0, call.model, call.input_tokens, call.output_tokens,
                    call.start_ns, call.span_id
                ),
                groupArrayIf(
                    (if(span.call_key = '', lower(hex(span.span_id)), span.call_key), span.call_rank, span.span_id, span.parent_span_id, span.provider, span.model, span.input_tokens, span.output_tokens,
                     span.cache_read_tokens, span.cache_write_tokens, span.reasoning_tokens, span.cost_usd,
                     ifNull(span.input_cost_usd, 0), ifNull(span.output_cost_usd, 0), ifNull(span.cache_read_cost_usd, 0),
                     ifNull(span.cache_write_cost_usd, 0), toUnixTimestamp64Nano(span.start_time), span.input_bytes,
                     span.response_id != '',
                     toUnixTimestamp64Nano(span.start_time) + toInt64(least(span.duration_ns, 31536000000000000)))::Tuple(
                        key String, rank UInt8, span_id FixedString(8), parent_span_id FixedString(8),
                        provider String, model String, input_tokens UInt64, output_tokens UInt64,
                        cache_read_tokens UInt64, cache_write_tokens UInt64, reasoning_tokens UInt64,
                        cost_usd Nullable(Decimal(38, 12)), input_cost_usd Decimal(38, 12),
                        output_cost_usd Decimal(38, 12), cache_read_cost_usd Decimal(38, 12),
                        cache_write_cost_usd Decimal(38, 12), start_ns Int64, input_bytes UInt64,
                        has_response_id Bool, end_ns Int64),
                    span.kind = 'model_call'
                )
            ) AS reports,
            groupArrayIf(
                (toUnixTimestamp64Nano(span.start_time), span.tool, span.result_bytes)::Tuple(
                    start_ns Int64, tool String, result_bytes UInt64),
                span.kind = 'tool_call' AND span.result_bytes > 0
            ) AS results
        FROM run_spans AS span
        GROUP BY project, run_id
    ),
    -- One key per call. A report without a response id is of the call with one that has the same model and the
    -- same tokens and ran meanwhile: a wrapper's span begins before the client's own, a stream's summary follows
    -- within five seconds. One without tokens either (it failed) is of the call it is part of.
    keyed AS (
        SELECT
            *,
            arrayFill(call -> call.has_response_id, reports) AS named_before,
            arrayReverseFill(call -> call.has_response_id, reports) AS named_after,
            arrayMap(
                call -> call.span_id,
                arrayFilter(call -> NOT call.has_response_id AND call.input_tokens + call.output_tokens = 0, reports)
            ) AS bare_span_ids,
            arrayMap(
                (call, before, after) -> multiIf(
                    call.has_response_id, call.key,
                    call.input_tokens + call.output_tokens = 0,
                    if(
                        has(bare_span_ids, call.parent_span_id),
                        replaceOne(call.key, lower(hex(call.span_id)), lower(hex(call.parent_span_id))),
                        call.key
                    ),
                    after.has_response_id AND after.model = call.model AND after.input_tokens = call.input_tokens
                        AND after.output_tokens = call.output_tokens AND after.start_ns <= call.end_ns,
                    after.key,
                    before.has_response_id AND before.model = call.model AND before.input_tokens = call.input_tokens
                        AND before.output_tokens = call.output_tokens AND call.start_ns <= before.end_ns + 5000000000,
                    before.key,
                    call.key
                ),
                reports, named_before, named_after
            ) AS report_keys,
            arraySort((call, key) -> (key, 255 - call.rank, call.span_id), reports, report_keys) AS calls,
            arraySort((key, call) -> (key, 255 - call.rank, call.span_id), report_keys, reports) AS keys
        FROM facts
    ),
    counts AS (
        SELECT
            *,
            arrayFilter(
                (call, key, previous) -> key != previous, calls, keys, arrayPopBack(arrayPushFront(keys, ''))
            ) AS counted,
            arrayUniq(arrayFilter((key, call) -> call.parent_span_id = root_span_id, keys, calls)) AS direct_calls,
            arrayMap(
                call -> call.span_id,
                arrayFilter(
                    (call, key, previous) -> key = previous, calls, keys, arrayPopBack(arrayPushFront(keys, ''))
                )
            ) AS duplicate_span_ids,
            empty(calls) AS without_calls,
            arrayReduce(
                'sumMap',
                arrayMap(call -> [concat(call.provider, '\0', call.model)], counted),
                arrayMap(call -> [toUInt64(1)], counted),
                arrayMap(call -> [call.input_tokens], counted),
                arrayMap(call -> [call.output_tokens], counted),
                arrayMap(call -> [call.cache_read_tokens], counted),
                arrayMap(call -> [call.cache_write_tokens], counted),
                arrayMap(call -> [if(isNull(call.cost_usd), call.input_tokens + call.output_tokens, 0)], counted),
                arrayMap(call -> [ifNull(call.cost_usd, toDecimal128(0, 12))], counted)
            ) AS by_model
        FROM keyed
    ),
    -- What a call cost is charged to the tool results that are new in its input, those since the call before, by
    -- their bytes; the rest of its input and its output to (no tool). Whole pico-dollars, rounded down, and what
    -- that leaves to the largest part: the parts add up to the whole.
    charges AS (
        SELECT
            *,
            arraySort(call -> (call.start_ns, call.span_id), counted) AS ordered,
            arrayMap(
                (call, before_ns) ->
                    arrayFilter(result -> result.start_ns >= before_ns AND result.start_ns < call.start_ns, results),
                ordered, arrayPopBack(arrayPushFront(arrayMap(call -> call.start_ns, ordered), toInt64(0)))
            ) AS fresh,
            -- senders that do not say how long the input was: a token is taken as four bytes
            arrayMap(
                (call, new) -> toInt128(greatest(
                    if(call.input_bytes > 0, call.input_bytes, call.input_tokens * 4),
                    arraySum(result -> result.result_bytes, new),
                    1)),
                ordered, fresh
            ) AS all_bytes,
            arrayMap(
                call -> toInt128(least(
                    call.input_cost_usd + call.cache_read_cost_usd + call.cache_write_cost_usd,
                    ifNull(call.cost_usd, toDecimal128(0, 12))) * 1000000000000),
                ordered
            ) AS input_pico,
            arrayMap(
                (new, bytes) -> arrayPushBack(
                    arrayMap(result -> toInt128(result.result_bytes), new),
                    bytes - toInt128(arraySum(result -> result.result_bytes, new))),
                fresh, all_bytes
            ) AS weights,
            arrayMap(
                (weight, bytes, pico) -> arrayMap(share -> intDiv(pico * share, bytes), weight),
                weights, all_bytes, input_pico
            ) AS parts,
            arrayMap(
                (part, pico) -> arrayMap(
                    (share, place) -> share + if(place = indexOf(part, arrayMax(part)), pico - arraySum(part), 0),
                    part, arrayEnumerate(part)),
                parts, input_pico
            ) AS charged,
            arrayReduce(
                'sumMap',
                arrayPushBack(arrayMap(new -> arrayPushBack(arrayMap(result -> result.tool, new), '(no tool)'), fresh), ['(no tool)']),
                arrayPushBack(charged, [toInt128(arraySum(by_model.8) * 1000000000000) - arraySum(input_pico)])
            ) AS by_tool
        FROM counts
    )
SELECT
    project,
    run_id,
    if(day = toDate(begin), begin, toDateTime64(day, 9, 'UTC')) AS start_time,
    if(ended, root_duration_ns, toUnixTimestamp64Nano(last_activity_time) - toUnixTimestamp64Nano(first_span_time))
        AS duration_ns,
    {row_version:UInt64} AS row_version,
    day != toDate(begin) AS is_deleted,
    trace_id,
    parent_run_id,
    first_span_time,
    last_span_time,
    last_activity_time,
    spans,
    -- a sender that names no agent is one itself
    if(agent != '', agent, service) AS agent,
    agent_version, service, environment, conversation_id, customer_id, user_id, tags,
    prompt_name, prompt_version,
    ended,
    multiIf(
        NOT ended, 'open',
        has(outcomes, 'escalated') OR handed_over, 'escalated',
        has(outcomes, 'stopped') OR limit_name != '', 'stopped',
        has(outcomes, 'failed') OR root_status = 'error', 'failed',
        'completed'
    ) AS outcome,
    multiIf(outcome_reason != '', outcome_reason, limit_name != '', limit_name, escalation_reason) AS outcome_reason,
    limit_name,
    root_error_type AS error_type,
    root_error_message AS error_message,
    escalation_reason,
    escalation_priority,
    last_tool,
    multiIf(numbered_iterations > 0, numbered_iterations, direct_calls > 0, direct_calls, length(counted)) AS iterations,
    iteration_cap,
    length(counted) AS model_calls,
    tool_calls,
    tool_errors,
    tool_not_found,
    if(without_calls, root_usage.1, arraySum(call -> call.input_tokens, counted)) AS input_tokens,
    if(without_calls, root_usage.2, arraySum(call -> call.output_tokens, counted)) AS output_tokens,
    if(without_calls, root_usage.3, arraySum(call -> call.cache_read_tokens, counted)) AS cache_read_tokens,
    if(without_calls, root_usage.4, arraySum(call -> call.cache_write_tokens, counted)) AS cache_write_tokens,
    if(without_calls, root_usage.5, arraySum(call -> call.reasoning_tokens, counted)) AS reasoning_tokens,
    multiIf(
        NOT without_calls, arraySum(by_model.7),
        isNull(root_usage.6), root_usage.1 + root_usage.2,
        0
    ) AS unpriced_tokens,
    multiIf(
        without_calls AND input_tokens + output_tokens > 0, CAST(root_usage.6 AS Nullable(Decimal(38, 12))),
        without_calls OR arrayExists(call -> isNotNull(call.cost_usd), counted), arraySum(by_model.8),
        NULL
    ) AS cost_usd,
    arrayMap(key -> splitByChar('\0', key)[2], by_model.1) AS model_names,
    arrayMap(key -> splitByChar('\0', key)[1], by_model.1) AS model_providers,
    by_model.2 AS model_call_counts,
    by_model.3 AS model_input_tokens,
    by_model.4 AS model_output_tokens,
    by_model.5 AS model_cache_read_tokens,
    by_model.6 AS model_cache_write_tokens,
    by_model.7 AS model_unpriced_tokens,
    by_model.8 AS model_costs_usd,
    arraySum(call -> call.input_cost_usd, counted) AS input_cost_usd,
    arraySum(call -> call.output_cost_usd, counted) AS output_cost_usd,
    arraySum(call -> call.cache_read_cost_usd, counted) AS cache_read_cost_usd,
    arraySum(call -> call.cache_write_cost_usd, counted) AS cache_write_cost_usd,
    by_tool.1 AS tool_cost_names,
    arrayMap(pico -> toDecimal128(toString(pico), 0) * toDecimal128('0.000000000001', 12), by_tool.2) AS tool_costs_usd,
    duplicate_span_ids,
    repeated_calls,
    repeated_arguments,
    repeated_results
FROM (SELECT *, if(ended, root_start_time, first_span_time) AS begin FROM charges)
ARRAY JOIN days AS day
