-- The loops of the selected runs, by the rules of the SDK's detector and its table of cases (loop_cases.json), with
-- n = identical_calls. A loop's waste is what the model calls cost that asked for its repeats: the calls that belong
-- to it, after the first lap.
--
-- The engine analyses such a statement for longer than it takes to answer it, so there is as little of it as can be: what
-- is asked of stretches of calls is asked of numbers in a row. arrayCumSum goes up where a call differs from the one
-- before, and arrayEnumerateUniq counts within what it numbered.
WITH
    -- A run's calls in the order they ended, by what may be the same again: the call (key), the call and its answer
    -- (exchange), the tool and what it answered (word). 0: it failed, nobody says what it answered, or the answer is
    -- so short that it says nothing.
    ordered AS (
        WITH (SELECT (min(first_span_time), max(last_span_time), max(notEmpty(duplicate_span_ids))) FROM loop_candidates) AS extent
        SELECT
            run_id,
            any(agent) AS agent,
            any(agent_version) AS agent_version,
            arraySort(groupArrayIf((
                toUnixTimestamp64Nano(start_time) + least(duration_ns, 31536000000000000),
                toUnixTimestamp64Nano(start_time),
                span_id,
                tool,
                sipHash64(tool, arguments_hash),
                if(tool_outcome = 'error' OR result_hash = '', 0, bitOr(sipHash64(tool, arguments_hash, result_hash), 1)),
                if(tool_outcome = 'error' OR result_hash = '' OR result_bytes < 32, 0, bitOr(sipHash64(tool, result_hash), 1)),
                tool_outcome = 'error'
            )::Tuple(
                end_ns UInt64, start_ns Int64, span_id FixedString(8), tool String, key UInt64, exchange UInt64,
                word UInt64, failed UInt8
            ), kind = 'tool_call' AND arguments_hash != '')) AS calls,
            arraySort(groupArrayIf(
                (toUnixTimestamp64Nano(start_time), input_tokens + output_tokens, ifNull(cost_usd, 0))::Tuple(
                    start_ns Int64, tokens UInt64, cost Decimal(38, 12)),
                kind = 'model_call'
                    -- where none is told twice, the engine need not plan to look
                    AND (
                        extent.3 = 0
                        OR (run_id, span_id) NOT IN (SELECT run_id, arrayJoin(duplicate_span_ids) FROM loop_candidates)
                    )
            )) AS requests
        FROM spans FINAL
        WHERE project = {project:String}
            AND start_time >= extent.1
            AND start_time <= extent.2
            AND run_id IN (SELECT run_id FROM loop_candidates)
            AND kind IN ('tool_call', 'model_call')
        GROUP BY run_id
    ),
    -- The calls by their places, as (key, place, exchange) and as (tool, place, word, key): those of one key, or tool,
    -- beside each other in their order.
    sorted AS (
        SELECT
            *,
            calls.key AS keys,
            calls.exchange AS exchanges,
            arraySort(arrayZip(keys, arrayEnumerate(keys), exchanges)) AS by_key,
            arrayFilter(step -> step.3 != 0, by_key) AS answered,
            arraySort(arrayZip(calls.tool, arrayEnumerate(keys), calls.word, keys)) AS by_tool
        FROM ordered
    ),
    -- n answers in a row of one key are equal: the first of each key is the loop.
    equals AS (
        SELECT
            *,
            arrayFilter(
                (step, nth) -> nth = {identical_calls:UInt32},
                answered, arrayEnumerateUniq(arrayCumSum(gap -> gap != 0, arrayDifference(answered.3)))
            ) AS equal_steps
        FROM sorted
    ),
    identical AS (
        SELECT
            *,
            arrayFilter((step, nth) -> nth = 1, equal_steps, arrayEnumerateUniq(equal_steps.1)) AS equal_calls,
            arrayFilter(
                (step, nth) -> nth = 2 * {identical_calls:UInt32} + 2
                    AND NOT arrayExists(equal -> equal.1 = step.1 AND equal.2 <= step.2, equal_steps),
                by_key, arrayEnumerateUniq(by_key.1)
            ) AS many_calls
        FROM equals
    ),
    -- A lap came round again where as many calls in a row as it is long equal those as far before them. As long as that
    -- goes on it is the same set of calls, so its first places tell: of each of the set's four calls at most two are taken.
    laps AS (
        SELECT
            *,
            arrayConcat(equal_calls.2, many_calls.2) AS identical_places,
            arraySort(arrayFlatten(arrayMap(
                period -> arrayMap(
                    place -> (place, period, arraySort(arrayDistinct(arraySlice(keys, place - period + 1, period)))),
                    arrayFilter(
                        (place, nth) -> nth > period AND nth <= period + 9 AND NOT has(identical_places, place),
                        arrayEnumerate(keys),
                        arrayEnumerateUniq(arrayCumSum(
                            (exchange, before) -> exchange != before OR exchange = 0,
                            exchanges, arrayShiftRight(exchanges, period)
                        ))
                    )
                ),
                [2, 3, 4]
            ))) AS laps
        FROM identical
    ),
    -- Each set of calls once, where it came round first.
    cycles AS (
        SELECT
            *,
            arrayFilter(
                (lap, nth) -> nth = 1 AND length(lap.3) > 1, laps, arrayEnumerateUniq(arrayMap(lap -> sipHash64(lap.3), laps))
            ) AS cycle_laps
        FROM laps
    ),
    -- n different calls of a tool in a row said the same, the first time that is no other loop.
    stalls AS (
        SELECT
            *,
            arrayFilter(
                (step, nth_word, nth_key) -> step.3 != 0 AND nth_word >= {identical_calls:UInt32}
                    AND nth_key < {identical_calls:UInt32} AND NOT has(identical_places, step.2)
                    AND NOT has(cycle_laps.1, step.2),
                by_tool,
                arrayEnumerateUniq(arrayCumSum(gap -> gap != 0, arrayDifference(by_tool.3))),
                arrayEnumerateUniq(arrayCumSum(gap -> gap != 0, arrayDifference(by_tool.4)))
            ) AS stall_steps
        FROM cycles
    ),
    -- Every loop by the place where it was found, what it is, the calls it took, and the keys (or the word) of its members.
    events AS (
        SELECT
            run_id,
            agent,
            agent_version,
            calls,
            requests,
            arrayJoin(arrayConcat(
                arrayMap(step -> (step.2, 'identical_calls', {identical_calls:UInt32}, [step.1]), equal_calls),
                arrayMap(step -> (step.2, 'polling', 2 * {identical_calls:UInt32} + 2, [step.1]), many_calls),
                arrayMap(lap -> (lap.1, 'cycle', 2 * lap.2, lap.3), cycle_laps),
                arrayMap(
                    step -> (step.2, 'no_progress', {identical_calls:UInt32}, [step.3]),
                    arrayFilter((step, nth) -> nth = 1, stall_steps, arrayEnumerateUniq(stall_steps.3)))
            )::Array(Tuple(at UInt32, kind String, calls UInt32, alike Array(UInt64)))) AS loop
        FROM stalls
    ),
    members AS (
        SELECT
            *,
            calls[loop.at] AS last_call,
            arrayFilter(call -> has(loop.alike, if(loop.kind = 'no_progress', call.word, call.key)), calls) AS members
        FROM events
    ),
    waste AS (
        SELECT
            *,
            arraySlice(members, length(loop.alike) + 1) AS repeats,
            arrayFilter(
                place -> place > 0,
                arrayDistinct(arrayMap(
                    call -> arrayLastIndex(request -> request.start_ns <= call.start_ns, requests), repeats))
            ) AS wasted_requests
        FROM members
    )
SELECT
    run_id,
    agent,
    agent_version,
    if(
        loop.kind = 'polling' AND 2 * arraySum(call -> call.failed, arraySlice(members, 1, loop.calls)) >= loop.calls,
        'retry_storm', loop.kind
    ) AS kind,
    last_call.tool AS tool,
    loop.at AS at,
    loop.calls AS calls,
    fromUnixTimestamp64Nano(toInt64(last_call.end_ns), 'UTC') AS found_time,
    lower(hex(last_call.span_id)) AS span_id,
    length(repeats) AS repeated_calls,
    arraySum(place -> requests[place].tokens, wasted_requests) AS wasted_tokens,
    arraySum(place -> requests[place].cost, wasted_requests) AS wasted_usd
FROM (SELECT * EXCEPT (calls) FROM waste)
