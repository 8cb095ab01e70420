-- What happened in each run, and when: tools called and how that ended, models asked, decisions, loops, escalations.
SELECT
    run_id,
    toUInt64(moment.1) AS at_ns,
    moment.2 AS event,
    moment.3 AS subject
FROM (
    SELECT
        run_id,
        toUnixTimestamp64Nano(start_time) AS begin_ns,
        begin_ns + least(duration_ns, 31536000000000000) AS end_ns,
        arrayJoin(arrayConcat(
            if(kind = 'tool_call', [(begin_ns, 'called', toString(tool)), (end_ns, toString(tool_outcome), toString(tool))], []),
            if(kind = 'model_call', [(begin_ns, 'asked', toString(model)), (end_ns, if(status = 'error', 'model_error', ''), toString(model))], []),
            if(escalation_reason != '' OR outcome = 'escalated' OR has(event_names, 'loopwatch.escalation'), [(end_ns, 'escalated', '')], []),
            arrayMap(
                (name, time, attributes) -> (
                    toUnixTimestamp64Nano(time),
                    multiIf(name = 'loopwatch.decision', 'decided', name = 'loopwatch.loop', 'looped', ''),
                    attributes['loopwatch.decision.name']),
                event_names, event_times, event_attributes),
            -- tenths as confidence_distribution counts them
            arrayMap(
                (time, attributes) -> (
                    toUnixTimestamp64Nano(time),
                    'decided_with',
                    toString(least(9, floor(assumeNotNull(toFloat64OrNull(attributes['loopwatch.decision.confidence'])) * 10)) / 10)),
                arrayFilter(
                    (time, name, attributes) -> name = 'loopwatch.decision'
                        AND toFloat64OrNull(attributes['loopwatch.decision.confidence']) BETWEEN 0 AND 1,
                    event_times, event_names, event_attributes),
                arrayFilter(
                    (attributes, name) -> name = 'loopwatch.decision'
                        AND toFloat64OrNull(attributes['loopwatch.decision.confidence']) BETWEEN 0 AND 1,
                    event_attributes, event_names))
        )::Array(Tuple(Int64, String, String))) AS moment
    FROM spans FINAL
    -- a run's spans may begin before it by a clock that is late, and go on for a day after the range
    WHERE project = {project:String}
        AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 HOUR
        AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') + INTERVAL 1 DAY
        -- what another span tells
        AND kind != 'event'
)
WHERE event != ''
