-- Derives the row of each named run from its spans and writes it, with a tombstone for every other day the
-- run has spans on (its start may have been there before an earlier span arrived).
--
-- A model call counts once however many spans report it: spans of one trace that name the same response are one call, and
-- the one of the highest rank (the lowest span id among equals) speaks for it. What agents' spans say they used in all
-- (their aggregate) counts where no model call is seen below them, and of those within each other the outermost; that of
-- the run's own span only where the run has no model call at all.
-- Rows of the kind `event` are no spans: what they tell another row tells (store/assembly.py); only that they lie in
-- the run's stretch of time counts.
--
-- Read are the rows of the traces of these runs, and of those, the versions in force: a span's trace is part of its
-- identity, so leaving other traces out before FINAL compares versions changes nothing; leaving other runs out would,
-- for the newest version may say another run.
-- One thread, because the states of these aggregates are so large that two would hand them over in 256 pieces, and each
-- of the hundreds of expressions below would be called for every piece: three times the CPU.
-- Two statements stand here: that for any run (pieces `involved`), and what of it those need whose calls are told once or
-- by spans that say the same response, and whose agents tell no sums of their own (pieces `plain`; involved_runs.sql says
-- which runs are not like that). Both give such a run the same row. Of the former, what several bare reports need (pieces
-- `failing`) is left out where no run has them.
-- Planning costs what a statement of a few runs takes: some 0.3 ms for every aggregate, and for every column that is
-- passed on from one subquery to the next. Hence one aggregate over an array of texts, and the rest in tuples.
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
    input_cost_usd, output_cost_usd, cache_read_cost_usd, cache_write_cost_usd, web_search_cost_usd,
    tool_cost_names, tool_costs_usd, duplicate_span_ids,
    repeated_calls, repeated_arguments, repeated_results
)
WITH
    facts AS (
        WITH
            -- the run's own span first, then any span without a parent; among equals the earliest
            multiIf(
                span.kind = 'run' AND span.parent_span_id = unhex('0000000000000000'), 0,
                span.kind = 'run', 1,
                span.parent_span_id = unhex('0000000000000000'), 2,
                3
            ) AS distance,
            toUnixTimestamp64Nano(span.start_time) AS start_ns,
            -- no span is believed to have lasted more than a year: the sum must not leave the type's range
            least(span.duration_ns, 31536000000000000) AS believed_ns,
            -- numbers, because a comparison of tuples costs as much as all the rest of an aggregate
            bitShiftLeft(toInt256(start_ns), 64) + reinterpretAsUInt64(reverse(span.span_id)) AS place,
            bitShiftLeft(toInt256(distance), 128) + place AS precedence,
            span.kind = 'tool_call' AS is_tool_call,
            is_tool_call AND span.arguments_hash != '' AS is_told_call,
            span.kind = 'event' AS is_event,
            span.kind = 'model_call' AS is_model_call,
{{involved}}            span.input_tokens + span.output_tokens > 0 AS has_tokens,
            NOT is_model_call AND NOT is_event AND distance < 3 AND (has_tokens OR isNotNull(span.reported_cost_usd)) AS is_aggregate,
            -- the model that answered and the one that was asked, without the date that one of them may end in
            '[-@]20[0-9]{2}-?[0-9]{2}-?[0-9]{2}$' AS date_of_model,
            [
                sipHash64(replaceRegexpOne(span.model, date_of_model, '')),
                sipHash64(replaceRegexpOne(if(span.request_model != '', span.request_model, span.model), date_of_model, ''))
            ] AS models,
{{/involved}}            -- told by any span; the places in this list are those of `said` below
            [
                span.parent_run_id, span.agent, span.agent_version, span.service, span.environment,
                span.conversation_id, span.customer_id, span.user_id, span.prompt_name, span.prompt_version,
                span.outcome_reason, span.limit_name, if(is_event, '', span.escalation_reason), if(is_event, '', span.escalation_priority)
            ] AS texts
        SELECT
            span.project,
            span.run_id,
            argMin(
                (
                    span.start_time AS start_time, span.duration_ns AS duration_ns, span.trace_id AS trace_id,
                    span.span_id AS span_id, span.status AS status, span.error_type AS error_type,
                    span.error_message AS error_message
                ),
                precedence
            ) AS root,
            argMinIfForEach(
                texts, arrayWithConstant(length(texts), precedence), arrayMap(text -> text != '', texts)
            ) AS said,
            (
                min(distance) < 3 AS ended,
                min(span.start_time) AS first_span_time,
                max(span.start_time) AS last_span_time,
                max(span.start_time + toIntervalNanosecond(believed_ns)) AS last_activity_time,
                countIf(NOT is_event) AS spans,
                groupUniqArray(toDate(span.start_time)) AS days,
                argMinIf(span.tags, precedence, notEmpty(span.tags)) AS tags,
                groupUniqArrayIf(span.outcome, NOT is_event) AS outcomes,
                max(has(span.event_names, 'loopwatch.escalation') AND NOT is_event) AS has_escalation,
                max(span.iteration_cap) AS iteration_cap,
                argMaxIf(span.tool, place, is_tool_call) AS last_tool,
                countIf(is_tool_call) AS tool_calls,
                countIf(is_tool_call AND span.tool_outcome = 'error') AS tool_errors,
                countIf(is_tool_call AND span.tool_outcome = 'not_found') AS tool_not_found,
                countIf(is_told_call) AS told_calls,
                uniqExactIf(sipHash64(span.tool, span.arguments_hash, span.result_hash), is_told_call)
                    AS different_calls,
                uniqExactIf(sipHash64(span.tool, span.arguments_hash), is_told_call) AS different_arguments,
                countIf(is_told_call AND span.result_bytes >= 32) AS told_results,
                uniqExactIf(sipHash64(span.tool, span.result_hash), is_told_call AND span.result_bytes >= 32)
                    AS different_results,
                greatest(countIf(span.kind = 'iteration'), max(span.iteration)) AS numbered_iterations
            ) AS told,
            -- what reports a call, those that say the same side by side
{{involved}}            arraySort(
                call -> (
                    call.is_bare, call.input_tokens, call.output_tokens, call.start_ns, -call.end_ns, call.span_id
                ),
{{/involved}}                groupArrayIf(
                    (if(is_model_call AND span.response_id != '', concat(span.trace_id, span.response_id),
                        lower(hex(span.span_id))), span.call_rank, span.span_id,
                     span.parent_span_id, span.provider, span.model, span.input_tokens, span.output_tokens,
                     span.cache_read_tokens, span.cache_write_5m_tokens + span.cache_write_1h_tokens,
                     span.reasoning_tokens, {{involved}}if(is_aggregate, span.reported_cost_usd, span.cost_usd){{/involved}}{{plain}}span.cost_usd{{/plain}},
                     ifNull(span.input_cost_usd, 0), ifNull(span.output_cost_usd, 0),
                     ifNull(span.cache_read_cost_usd, 0), ifNull(span.cache_write_cost_usd, 0),
                     ifNull(
                        span.cost_usd - span.input_cost_usd - span.output_cost_usd - span.cache_read_cost_usd
                            - span.cache_write_cost_usd,
                        0),
                     start_ns, span.input_bytes{{involved}},
                     is_model_call AND span.response_id != '', start_ns + toInt64(believed_ns), models,
                     sipHash64(span.scope), is_aggregate,
                     is_model_call AND span.response_id = '' AND NOT has_tokens{{/involved}})::Tuple(
                        key String, rank UInt8, span_id FixedString(8), parent_span_id FixedString(8),
                        provider String, model String, input_tokens UInt64, output_tokens UInt64,
                        cache_read_tokens UInt64, cache_write_tokens UInt64, reasoning_tokens UInt64,
                        cost_usd Nullable(Decimal(38, 12)), input_cost_usd Decimal(38, 12),
                        output_cost_usd Decimal(38, 12), cache_read_cost_usd Decimal(38, 12),
                        cache_write_cost_usd Decimal(38, 12), web_search_cost_usd Decimal(38, 12),
                        start_ns Int64, input_bytes UInt64{{involved}}, has_response_id Bool, end_ns Int64,
                        models Array(UInt64), scope UInt64, is_aggregate Bool, is_bare Bool{{/involved}}),
                    is_model_call{{involved}} OR is_aggregate
                ){{/involved}}
            ) AS reports,
{{involved}}            groupArrayIf(
                (span.span_id, span.parent_span_id)::Tuple(
                    span_id FixedString(8), parent_span_id FixedString(8)),
                NOT is_model_call
            ) AS tree,
{{/involved}}            arraySort(groupArrayIf(
                (start_ns, span.tool, span.result_bytes)::Tuple(start_ns Int64, tool String, result_bytes UInt64),
                is_tool_call AND span.result_bytes > 0
            )) AS results
        FROM spans AS span FINAL
        PREWHERE span.trace_id IN (
            SELECT trace_id
            FROM spans
            WHERE project = {project:String}
                AND start_time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
                AND start_time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
                AND run_id IN {run_ids:Array(String)}
        )
        WHERE span.project = {project:String}
            AND span.start_time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
            AND span.start_time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
            AND span.run_id IN {run_ids:Array(String)}
        GROUP BY span.project, span.run_id
    ),
{{plain}}    sorted AS (
        SELECT
            * EXCEPT (reports),
            arraySort(call -> (call.key, 255 - call.rank, call.span_id), reports) AS calls,
            arrayPopBack(arrayPushFront(arraySort(tupleElement(reports, 'key')), '')) AS previous_keys
        FROM facts
    ),
    counts AS (
        SELECT
            * EXCEPT (calls, previous_keys),
            arrayFilter((call, previous) -> call.key != previous, calls, previous_keys) AS counted,
            arrayUniq(tupleElement(
                arrayFilter(call -> call.parent_span_id = root.span_id, calls), 'key'
            )) AS direct_calls,
            tupleElement(
                arrayFilter((call, previous) -> call.key = previous, calls, previous_keys), 'span_id'
            ) AS duplicate_span_ids
        FROM sorted
    ),
{{/plain}}{{involved}}    -- One key per call. A report without a response id is of the call with one that has the same model, asked or
    -- answering, and the same tokens and ran meanwhile: a wrapper's span begins before the client's own, a stream's
    -- summary follows within five seconds. A bare one, without tokens either (it failed), is of the bare one that it is
    -- part of: the span it lies below, or one beside it that lasted all the while and that its library did not tell yet.
    keyed AS (
        WITH
{{failing}}            arrayFilter(call -> call.is_bare, reports) AS bare,
            tupleElement(bare, 'span_id') AS bare_span_ids,
            -- in the order they began: those that are no part of another and may still have one beside them, each
            -- one's key, and which library told which key
            arrayFold(
                (seen, call) -> arrayMap(
                    key -> (
                        arrayFilter(
                            one -> one.end_ns >= call.start_ns AND (one.key != call.key OR one.key = key),
                            arrayPushBack(seen.1, call)
                        ),
                        arrayPushBack(seen.2, key),
                        arrayPushBack(seen.3, sipHash64(key, call.scope))
                    ),
                    [arrayFirst(key -> key != '', [
                        seen.2[indexOf(bare_span_ids, call.parent_span_id)],
                        -- of several that it may be part of, the one that ended first
                        arraySort(one -> one.end_ns, arrayFilter(
                            one -> one.parent_span_id = call.parent_span_id AND one.end_ns >= call.end_ns
                                AND hasAny(one.models, call.models) AND NOT has(seen.3, sipHash64(one.key, call.scope)),
                            seen.1
                        ))[1].key,
                        call.key
                    ])]
                )[1],
                bare,
                (arraySlice(reports, 1, 0), []::Array(String), []::Array(UInt64))
            ).2 AS bare_keys,
{{/failing}}            arrayDistinct(arrayMap(
                call -> if(call.is_aggregate, call.span_id, call.parent_span_id),
                -- what would take too long, with thousands of iterations, goes without
                if(length(tree) * length(reports) <= 4000000
                    AND arrayExists(call -> call.is_aggregate AND call.span_id != root.span_id, reports), reports, [])
            )) AS feet
        SELECT
            *,
            -- where an agent below the run's own span tells an aggregate: from each aggregate and each caller the way up
            arrayFold(
                (ways, step) -> arrayMap(
                    way -> arrayPushBack(way, tree.parent_span_id[indexOf(tree.span_id, way[-1])]), ways
                ),
                range(if(empty(feet), 0, 32)),
                arrayMap(span_id -> [span_id], feet)
            ) AS ways,
            arrayMap(
                (call, before, after) -> multiIf(
{{failing}}                    call.is_bare,
                    bare_keys[indexOf(
                        bare_span_ids, if(has(bare_span_ids, call.parent_span_id), call.parent_span_id, call.span_id)
                    )],
{{/failing}}                    call.has_response_id OR call.is_aggregate OR call.is_bare, call.key,
                    after.has_response_id AND hasAny(after.models, call.models) AND after.input_tokens = call.input_tokens
                        AND after.output_tokens = call.output_tokens AND after.start_ns <= call.end_ns,
                    after.key,
                    before.has_response_id AND hasAny(before.models, call.models) AND before.input_tokens = call.input_tokens
                        AND before.output_tokens = call.output_tokens AND call.start_ns <= before.end_ns + 5000000000,
                    before.key,
                    call.key
                ),
                reports,
                arrayFill(call -> call.has_response_id, reports),
                arrayReverseFill(call -> call.has_response_id, reports)
            ) AS report_keys
        FROM facts
    ),
    sorted AS (
        SELECT
            *,
            tupleElement(arrayFilter(call -> NOT call.is_aggregate, reports), 'parent_span_id') AS callers,
            tupleElement(arrayFilter(call -> call.is_aggregate, reports), 'span_id') AS aggregates,
            arraySort((call, key) -> (key, 255 - call.rank, call.span_id), reports, report_keys) AS calls,
            arraySort(report_keys) AS keys,
            arrayPopBack(arrayPushFront(keys, '')) AS previous_keys
        FROM keyed
    ),
    counts AS (
        WITH
            arrayFlatten(arrayFilter(way -> has(callers, way[1]), ways)) AS above_calls,
            arrayFilter(
                way -> has(aggregates, way[1]) AND way[1] != root.span_id AND NOT has(above_calls, way[1]), ways
            ) AS childless,
            if(
                empty(callers) AND has(aggregates, root.span_id),
                [root.span_id],
                arrayMap(way -> way[1], arrayFilter(
                    (way, others) -> NOT hasAny(arraySlice(way, 2), others),
                    childless,
                    arrayWithConstant(length(childless), arrayMap(way -> way[1], childless))
                ))
            ) AS counted_aggregates
        SELECT
            * EXCEPT (reports, report_keys, tree, ways, callers, aggregates, calls, keys, previous_keys),
            arrayFilter(
                (call, key, previous) ->
                    key != previous AND (NOT call.is_aggregate OR has(counted_aggregates, call.span_id)),
                calls, keys, previous_keys
            ) AS counted,
            arrayUniq(
                arrayFilter((key, call) -> call.parent_span_id = root.span_id AND NOT call.is_aggregate, keys, calls)
            ) AS direct_calls,
            tupleElement(
                arrayFilter((call, key, previous) -> key = previous, calls, keys, previous_keys), 'span_id'
            ) AS duplicate_span_ids
        FROM sorted
    ),
{{/involved}}    -- What a call cost is charged to the tool results that are new in its input, those since the call before, by
    -- their bytes; the rest of its input and its output to (no tool). Whole pico-dollars, rounded down, and what
    -- that leaves to the largest part: the parts add up to the whole.
    fresh AS (
        SELECT
            *,
            arrayReduce(
                'sumMap',
                [arrayMap(call -> concat(call.provider, '\0', call.model), counted)],
                {{involved}}[arrayMap(is_aggregate -> toUInt64(NOT is_aggregate), tupleElement(counted, 'is_aggregate'))]{{/involved}}{{plain}}[arrayWithConstant(length(counted), 1::UInt64)]{{/plain}},
                [tupleElement(counted, 'input_tokens')],
                [tupleElement(counted, 'output_tokens')],
                [tupleElement(counted, 'cache_read_tokens')],
                [tupleElement(counted, 'cache_write_tokens')],
                [arrayMap(call -> if(isNull(call.cost_usd), call.input_tokens + call.output_tokens, 0), counted)],
                [arrayMap(cost_usd -> ifNull(cost_usd, toDecimal128(0, 12)), tupleElement(counted, 'cost_usd'))]
            ) AS by_model,
            arraySort(
                call -> (call.start_ns, call.span_id), {{involved}}arrayFilter(call -> NOT call.is_aggregate, counted){{/involved}}{{plain}}counted{{/plain}}
            ) AS ordered,
            arrayMap(
                (start_ns, before_ns) ->
                    arrayFilter(result -> result.start_ns >= before_ns AND result.start_ns < start_ns, results),
                tupleElement(ordered, 'start_ns'),
                arrayPopBack(arrayPushFront(tupleElement(ordered, 'start_ns'), toInt64(0)))
            ) AS new_results
        FROM counts
    ),
    measured AS (
        SELECT
            * EXCEPT (ordered, results),
            arrayMap(
                (call, new) -> (
                    -- senders that do not say how long the input was: a token is taken as four bytes
                    toInt128(greatest(
                        if(call.input_bytes > 0, call.input_bytes, call.input_tokens * 4),
                        arraySum(tupleElement(new, 'result_bytes')),
                        1)),
                    toInt128(least(
                        call.input_cost_usd + call.cache_read_cost_usd + call.cache_write_cost_usd,
                        ifNull(call.cost_usd, toDecimal128(0, 12))) * 1000000000000)
                )::Tuple(bytes Int128, pico Int128),
                ordered, new_results
            ) AS inputs
        FROM fresh
    ),
    parted AS (
        SELECT
            * EXCEPT (new_results),
            arrayMap(new -> arrayPushBack(tupleElement(new, 'tool'), '(no tool)'), new_results) AS part_tools,
            arrayMap(
                (new, input) -> arrayMap(
                    share -> intDiv(input.pico * share, input.bytes),
                    arrayPushBack(
                        CAST(tupleElement(new, 'result_bytes'), 'Array(Int128)'),
                        input.bytes - toInt128(arraySum(tupleElement(new, 'result_bytes'))))),
                new_results, inputs
            ) AS parts
        FROM measured
    ),
    charges AS (
        SELECT
            *,
            if(told.ended, root.start_time, told.first_span_time) AS begin,
            arrayReduce(
                'sumMap',
                arrayPushBack(
                    arrayMap(
                        (tools, part) -> arrayPushBack(tools, tools[indexOf(part, arrayMax(part))]), part_tools, parts
                    ),
                    ['(no tool)']),
                arrayPushBack(
                    arrayMap((part, input) -> arrayPushBack(part, input.pico - arraySum(part)), parts, inputs),
                    [toInt128(arraySum(by_model.8) * 1000000000000) - arraySum(tupleElement(inputs, 'pico'))]
                )
            ) AS by_tool
        FROM parted
    )
SELECT
    project,
    run_id,
    if(day = toDate(begin), begin, toDateTime64(day, 9, 'UTC')) AS start_time,
    -- a run's own span without a length was made of an event: the run lasted as long as anything in it
    if(told.ended AND root.duration_ns > 0, root.duration_ns,
        toUnixTimestamp64Nano(told.last_activity_time) - toUnixTimestamp64Nano(told.first_span_time)) AS duration_ns,
    {row_version:UInt64} AS row_version,
    day != toDate(begin) AS is_deleted,
    root.trace_id AS trace_id,
    said[1] AS parent_run_id,
    told.first_span_time AS first_span_time,
    told.last_span_time AS last_span_time,
    told.last_activity_time AS last_activity_time,
    told.spans AS spans,
    -- a sender that names no agent is one itself
    if(said[2] != '', said[2], said[4]) AS agent,
    said[3] AS agent_version,
    said[4] AS service,
    said[5] AS environment,
    said[6] AS conversation_id,
    said[7] AS customer_id,
    said[8] AS user_id,
    told.tags AS tags,
    said[9] AS prompt_name,
    said[10] AS prompt_version,
    told.ended AS ended,
    multiIf(
        NOT told.ended, 'open',
        has(told.outcomes, 'escalated') OR said[13] != '' OR told.has_escalation, 'escalated',
        has(told.outcomes, 'stopped') OR said[12] != '', 'stopped',
        has(told.outcomes, 'failed') OR root.status = 'error', 'failed',
        'completed'
    ) AS outcome,
    multiIf(said[11] != '', said[11], said[12] != '', said[12], said[13]) AS outcome_reason,
    said[12] AS limit_name,
    root.error_type AS error_type,
    root.error_message AS error_message,
    said[13] AS escalation_reason,
    said[14] AS escalation_priority,
    told.last_tool AS last_tool,
    multiIf(told.numbered_iterations > 0, told.numbered_iterations, direct_calls > 0, direct_calls, model_calls) AS iterations,
    told.iteration_cap AS iteration_cap,
    arraySum(by_model.2) AS model_calls,
    told.tool_calls AS tool_calls,
    told.tool_errors AS tool_errors,
    told.tool_not_found AS tool_not_found,
    arraySum(by_model.3) AS input_tokens,
    arraySum(by_model.4) AS output_tokens,
    arraySum(by_model.5) AS cache_read_tokens,
    arraySum(by_model.6) AS cache_write_tokens,
    arraySum(tupleElement(counted, 'reasoning_tokens')) AS reasoning_tokens,
    arraySum(by_model.7) AS unpriced_tokens,
    if(
        empty(counted) OR arrayExists(cost_usd -> isNotNull(cost_usd), tupleElement(counted, 'cost_usd')),
        arraySum(by_model.8),
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
    arraySum(tupleElement(counted, 'input_cost_usd')) AS input_cost_usd,
    arraySum(tupleElement(counted, 'output_cost_usd')) AS output_cost_usd,
    arraySum(tupleElement(counted, 'cache_read_cost_usd')) AS cache_read_cost_usd,
    arraySum(tupleElement(counted, 'cache_write_cost_usd')) AS cache_write_cost_usd,
    arraySum(tupleElement(counted, 'web_search_cost_usd')) AS web_search_cost_usd,
    by_tool.1 AS tool_cost_names,
    arrayMap(pico -> toDecimal128(toString(pico), 0) * toDecimal128('0.000000000001', 12), by_tool.2) AS tool_costs_usd,
    duplicate_span_ids,
    told.told_calls - told.different_calls AS repeated_calls,
    told.told_calls - told.different_arguments AS repeated_arguments,
    -- results so short that they say the same of different things are no repeats
    told.told_results - told.different_results AS repeated_results
FROM charges
ARRAY JOIN told.days AS day
SETTINGS
    query_plan_merge_expressions = 0, -- merging so many levels is a fifth of the planning
    max_threads = 1,
    do_not_merge_across_partitions_select_final = 1, -- a span's minute is part of its identity
    enable_named_columns_in_function_tuple = 1
