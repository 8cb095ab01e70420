-- The decisions of the selected runs that state a confidence.
SELECT
    run_id,
    agent,
    event_attributes[place]['loopwatch.decision.name'] AS name,
    event_attributes[place]['loopwatch.decision.choice'] AS choice,
    toFloat64OrNull(event_attributes[place]['loopwatch.decision.confidence']) AS confidence
FROM (SELECT run_id, agent, event_names, event_attributes, arrayJoin(arrayEnumerate(event_names)) AS place FROM selected_spans WHERE has(event_names, 'loopwatch.decision'))
WHERE event_names[place] = 'loopwatch.decision' AND confidence BETWEEN 0 AND 1
