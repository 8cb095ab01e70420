-- The loops of the selected runs, by the rules of the SDK's detector and its table of cases (loop_cases.json), with
-- n = identical_calls. A loop's waste is what the model calls cost that asked for its repeats: the calls that belong
-- to it, after the first lap.
WITH
    -- Runs that repeat enough to have a loop at all; only these are looked at further.
    candidates AS (
        SELECT run_id, first_span_time, last_span_time
        FROM selected_runs
        WHERE repeated_calls < 0 -- derived before repeats were
            OR repeated_calls >= least(2, {identical_calls:UInt32} - 1)
            OR repeated_arguments > 2 * {identical_calls:UInt32}
            OR repeated_results >= {identical_calls:UInt32} - 1
    ),
    -- A run's calls in the order they ended.
    ordered AS (
        SELECT
            run_id,
            any(agent) AS agent,
            any(agent_version) AS agent_version,
            arraySort(groupArrayIf((
                toUnixTimestamp64Nano(start_time) + least(duration_ns, 31536000000000000),
                toUnixTimestamp64Nano(start_time),
                span_id,
                toString(tool),
                sipHash64(tool, arguments_hash),
                -- 0: it failed, or nobody says what it answered
                if(tool_outcome = 'error' OR result_hash = '', 0, bitOr(sipHash64(result_hash), 1)),
                toUInt8(tool_outcome = 'error'),
                result_bytes
            )::Tuple(
                end_ns UInt64, start_ns Int64, span_id FixedString(8), tool String, key UInt64, result UInt64,
                failed UInt8, result_bytes UInt64
            ), kind = 'tool_call' AND arguments_hash != '')) AS calls,
            arraySort(groupArrayIf(
                (toUnixTimestamp64Nano(start_time), input_tokens + output_tokens, ifNull(cost_usd, 0))::Tuple(
                    start_ns Int64, tokens UInt64, cost Decimal(38, 12)),
                kind = 'model_call'
                    AND (run_id, span_id) NOT IN (SELECT run_id, arrayJoin(duplicate_span_ids) FROM selected_runs)
            )) AS requests
        FROM spans FINAL
        WHERE project = {project:String}
            AND start_time >= (SELECT min(first_span_time) FROM candidates)
            AND start_time <= (SELECT max(last_span_time) FROM candidates)
            AND run_id IN (SELECT run_id FROM candidates)
            AND kind IN ('tool_call', 'model_call')
        GROUP BY run_id
    ),
    -- One step of the rules per sub-query: an expression that is named and used again in the same one would be
    -- analysed, and perhaps computed, once per use.
    steps AS (
        SELECT
            run_id,
            agent,
            agent_version,
            calls,
            requests,
            {identical_calls:UInt32} AS n,
            arrayMap(
                (call, at) -> (call.key, at, call.tool, call.result, call.failed, if(call.result_bytes < 32, 0, call.result))::Tuple(
                    key UInt64, at UInt32, tool String, result UInt64, failed UInt8, telling UInt64),
                calls, arrayEnumerate(calls)
            ) AS steps
        FROM ordered
    ),
    sorted AS (
        -- by key (by tool), so that the calls of one key (tool) stand beside each other in their order
        SELECT *, arraySort(steps) AS by_key, arraySort(step -> (step.tool, step.at), steps) AS by_tool FROM steps
    ),
    answers AS (
        SELECT *, arrayFilter(step -> step.result != 0, by_key) AS answered FROM sorted
    ),
    equals AS (
        SELECT
            *,
            -- every place where n answers in a row of one key are equal; the first of each key is the loop
            arrayFilter(
                (step, place) -> place >= n
                    AND answered[place - n + 1].key = step.key
                    AND arrayUniq(arrayMap(other -> other.result, arraySlice(answered, place - n + 1, n))) = 1,
                answered, arrayEnumerate(answered)
            ) AS equal_places
        FROM answers
    ),
    firsts AS (
        SELECT
            *,
            arrayFilter(
                (step, nth) -> nth = 1, equal_places, arrayEnumerateUniq(arrayMap(step -> step.key, equal_places))
            ) AS equal_calls
        FROM equals
    ),
    many AS (
        SELECT
            *,
            arrayFilter(
                (step, nth) -> nth = 2 * n + 2
                    AND NOT arrayExists(equal -> equal.key = step.key AND equal.at <= step.at, equal_calls),
                by_key, arrayEnumerateUniq(arrayMap(step -> step.key, by_key))
            ) AS many_calls
        FROM firsts
    ),
    identical AS (
        SELECT *, arrayConcat(arrayMap(step -> step.at, equal_calls), arrayMap(step -> step.at, many_calls)) AS identical_ats
        FROM many
    ),
    laps AS (
        SELECT
            *,
            arrayFilter(
                lap -> length(lap.keys) > 1 AND NOT has(identical_ats, lap.at),
                arrayFlatten(arrayMap(
                    period -> arrayMap(
                        step -> (arraySort(arrayDistinct(arrayMap(other -> other.key, arraySlice(steps, step.at - period + 1, period)))), step.at, period, step.tool)::Tuple(
                            keys Array(UInt64), at UInt32, period UInt32, tool String),
                        arrayFilter(
                            step -> step.at >= 2 * period
                                AND arrayMap(other -> (other.key, other.result), arraySlice(steps, step.at - period + 1, period))
                                    = arrayMap(other -> (other.key, other.result), arraySlice(steps, step.at - 2 * period + 1, period))
                                AND NOT arrayExists(other -> other.result = 0, arraySlice(steps, step.at - period + 1, period)),
                            steps
                        )
                    ),
                    [2, 3, 4]
                ))
            ) AS laps
        FROM identical
    ),
    cycles AS (
        SELECT
            *,
            -- each set of calls once, where it came round first
            arrayMap(
                keys -> arraySort(lap -> (lap.at, lap.period), arrayFilter(lap -> lap.keys = keys, laps))[1],
                arrayDistinct(arrayMap(lap -> lap.keys, laps))
            ) AS cycle_laps
        FROM laps
    ),
    taken AS (
        SELECT *, arrayConcat(identical_ats, arrayMap(lap -> lap.at, cycle_laps)) AS taken_ats FROM cycles
    ),
    stall_places AS (
        SELECT
            *,
            arrayFilter(
                (step, place) -> place >= n
                    AND by_tool[place - n + 1].tool = step.tool
                    AND step.telling != 0
                    AND arrayUniq(arrayMap(other -> other.telling, arraySlice(by_tool, place - n + 1, n))) = 1
                    AND arrayUniq(arrayMap(other -> other.key, arraySlice(by_tool, place - n + 1, n))) > 1
                    AND NOT has(taken_ats, step.at),
                by_tool, arrayEnumerate(by_tool)
            ) AS stall_places
        FROM taken
    ),
    stalls AS (
        SELECT
            *,
            arrayMap(
                pair -> arraySort(step -> step.at, arrayFilter(step -> (step.tool, step.telling) = pair, stall_places))[1],
                arrayDistinct(arrayMap(step -> (step.tool, step.telling), stall_places))
            ) AS stall_calls
        FROM stall_places
    ),
    events AS (
        SELECT
            run_id,
            agent,
            agent_version,
            calls,
            requests,
            arrayJoin(arrayConcat(
                arrayMap(
                    step -> (step.at, 'identical_calls', step.tool, n, 1,
                             arrayMap(other -> other.at, arrayFilter(other -> other.key = step.key, steps))),
                    equal_calls),
                arrayMap(
                    step -> (step.at,
                             if(2 * arraySum(other -> other.failed, arrayFilter(other -> other.key = step.key AND other.at <= step.at, steps)) >= 2 * n + 2, 'retry_storm', 'polling'),
                             step.tool, 2 * n + 2, 1,
                             arrayMap(other -> other.at, arrayFilter(other -> other.key = step.key, steps))),
                    many_calls),
                arrayMap(
                    lap -> (lap.at, 'cycle', lap.tool, 2 * lap.period, length(lap.keys),
                            arrayMap(other -> other.at, arrayFilter(other -> has(lap.keys, other.key), steps))),
                    cycle_laps),
                arrayMap(
                    step -> (step.at, 'no_progress', step.tool, n, 1,
                             arrayMap(other -> other.at, arrayFilter(other -> other.tool = step.tool AND other.telling = step.telling, steps))),
                    stall_calls)
            )::Array(Tuple(at UInt32, kind String, tool String, calls UInt32, lap UInt32, members Array(UInt32)))) AS loop
        FROM stalls
    ),
    waste AS (
        SELECT
            *,
            arraySlice(loop.members, loop.lap + 1) AS repeats,
            arrayFilter(
                place -> place > 0,
                arrayDistinct(arrayMap(
                    at -> arrayLastIndex(request -> request.start_ns <= calls[at].start_ns, requests), repeats))
            ) AS wasted_requests
        FROM events
    )
SELECT
    run_id,
    agent,
    agent_version,
    loop.kind AS kind,
    loop.tool AS tool,
    loop.at AS at,
    loop.calls AS calls,
    fromUnixTimestamp64Nano(toInt64(calls_of_run[loop.at].end_ns), 'UTC') AS found_time,
    lower(hex(calls_of_run[loop.at].span_id)) AS span_id,
    length(repeats) AS repeated_calls,
    arraySum(place -> requests[place].tokens, wasted_requests) AS wasted_tokens,
    arraySum(place -> requests[place].cost, wasted_requests) AS wasted_usd
FROM (SELECT * EXCEPT (calls), calls AS calls_of_run FROM waste)
