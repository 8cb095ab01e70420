-- Derives the row of each named run from its spans and writes it, with a tombstone for every other day the
-- run has spans on (the start may have been there before an earlier span arrived).
--
-- A model call is counted once however many spans report it: spans of equal trace and call key are one call,
-- and the one of the highest rank (the lowest span id among equals) speaks for it.
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
    input_cost_usd, output_cost_usd, cache_read_cost_usd, cache_write_cost_usd
)
WITH
    facts AS (
        SELECT
            project,
            run_id,
            -- the run's own span first, then a span without a parent, then the rest by time
            (multiIf(kind = 'run', 0, parent_span_id = unhex('0000000000000000'), 1, 2), start_time, span_id) AS precedence,
            countIf(precedence.1 < 2) > 0 AS ended,
            argMin(
                (start_time, duration_ns, trace_id, span_id, status, error_type, error_message, input_tokens,
                 output_tokens, cache_read_tokens, cache_write_5m_tokens + cache_write_1h_tokens, reasoning_tokens,
                 cost_usd),
                precedence
            )::Tuple(
                start_time DateTime64(9, 'UTC'), duration_ns UInt64, trace_id FixedString(16), span_id FixedString(8),
                status String, error_type String, error_message String, input_tokens UInt64, output_tokens UInt64,
                cache_read_tokens UInt64, cache_write_tokens UInt64, reasoning_tokens UInt64,
                cost_usd Nullable(Decimal(38, 12))
            ) AS root,
            min(start_time) AS first_span_time,
            max(start_time) AS last_span_time,
            max(start_time + toIntervalNanosecond(least(duration_ns, 31536000000000000))) AS last_activity_time,
            count() AS spans,
            groupUniqArray(toDate(start_time)) AS days,
            argMinIf(parent_run_id, precedence, parent_run_id != '') AS parent_run_id,
            argMinIf(agent, precedence, agent != '') AS agent,
            argMinIf(agent_version, precedence, agent_version != '') AS agent_version,
            argMinIf(service, precedence, service != '') AS service,
            argMinIf(environment, precedence, environment != '') AS environment,
            argMinIf(conversation_id, precedence, conversation_id != '') AS conversation_id,
            argMinIf(customer_id, precedence, customer_id != '') AS customer_id,
            argMinIf(user_id, precedence, user_id != '') AS user_id,
            argMinIf(tags, precedence, notEmpty(tags)) AS tags,
            argMinIf(prompt_name, precedence, prompt_name != '') AS prompt_name,
            argMinIf(prompt_version, precedence, prompt_version != '') AS prompt_version,
            groupUniqArrayIf(outcome, outcome != '') AS outcomes,
            argMinIf(outcome_reason, precedence, outcome_reason != '') AS outcome_reason,
            argMinIf(limit_name, precedence, limit_name != '') AS limit_name,
            argMinIf(escalation_reason, precedence, escalation_reason != '') AS escalation_reason,
            argMinIf(escalation_priority, precedence, escalation_priority != '') AS escalation_priority,
            countIf(escalation_reason != '' OR has(event_names, 'loopwatch.escalation')) > 0 AS handed_over,
            max(iteration_cap) AS iteration_cap,
            argMaxIf(tool, (start_time, span_id), kind = 'tool_call') AS last_tool,
            countIf(kind = 'tool_call') AS tool_calls,
            countIf(kind = 'tool_call' AND tool_outcome = 'error') AS tool_errors,
            countIf(kind = 'tool_call' AND tool_outcome = 'not_found') AS tool_not_found,
            greatest(countIf(kind = 'iteration'), max(iteration)) AS numbered_iterations,
            arraySort(
                call -> (call.trace_id, call.call_key, 255 - call.call_rank, call.span_id),
                groupArrayIf(
                    (trace_id, call_key, call_rank, span_id, parent_span_id, provider, model, input_tokens, output_tokens,
                     cache_read_tokens, cache_write_5m_tokens + cache_write_1h_tokens, reasoning_tokens, cost_usd,
                     input_cost_usd, output_cost_usd, cache_read_cost_usd, cache_write_cost_usd)::Tuple(
                        trace_id FixedString(16), call_key String, call_rank UInt8, span_id FixedString(8),
                        parent_span_id FixedString(8), provider String, model String, input_tokens UInt64,
                        output_tokens UInt64, cache_read_tokens UInt64, cache_write_tokens UInt64,
                        reasoning_tokens UInt64, cost_usd Nullable(Decimal(38, 12)),
                        input_cost_usd Nullable(Decimal(38, 12)), output_cost_usd Nullable(Decimal(38, 12)),
                        cache_read_cost_usd Nullable(Decimal(38, 12)), cache_write_cost_usd Nullable(Decimal(38, 12))),
                    kind = 'model_call'
                )
            ) AS calls,
            arrayMap(call -> (call.trace_id, if(call.call_key = '', toString(call.span_id), call.call_key)), calls) AS call_keys,
            arrayFilter(
                (call, key, previous) -> key != previous,
                calls, call_keys, arrayPopBack(arrayPushFront(call_keys, (toFixedString('', 16), '')))
            ) AS counted,
            uniqExactIf(
                (trace_id, if(call_key = '', toString(span_id), call_key)),
                kind = 'model_call' AND 0
            ) AS unused,
            arrayUniq(
                arrayMap(
                    call -> (call.trace_id, if(call.call_key = '', toString(call.span_id), call.call_key)),
                    arrayFilter(call -> ended AND call.parent_span_id = root.span_id, calls)
                )
            ) AS direct_calls,
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
        FROM spans FINAL
        WHERE project = {project:String}
            AND start_time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
            AND start_time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
            AND run_id IN {run_ids:Array(String)}
        GROUP BY project, run_id
    )
SELECT 1
