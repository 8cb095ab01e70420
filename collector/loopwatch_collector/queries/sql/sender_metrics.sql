-- title: Metrics that senders reported
-- description: What metrics of agents add up to in the range, for senders that report tokens, cost or durations as metrics only. Not part of any other number here: a sender that writes spans too says the same twice. The version and customer filters do not apply.
-- column: metric text | The metric's name
-- column: unit text | Its unit, as the sender wrote it
-- column: service text | The service that reported it
-- column: agent text | The agent, where the sender says
-- column: model text | The model, where the sender says
-- column: token_kind text | input, output, cache_read, cache_write or reasoning
-- column: value count | Sum of counters' increases and histograms' sums; a gauge's last value
-- column: points count | Measurements behind it
-- column: last_seen time | When it was last reported
WITH series AS (
    SELECT
        metric, unit, service, agent, model, token_kind, series, start_time, is_cumulative,
        -- A cumulative series restarts with its start time; what it had before the range is not of the range.
        if(
            is_cumulative,
            max(value) - if(start_time < fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC'), min(value), 0),
            sum(value)
        ) AS increase,
        if(
            is_cumulative,
            toInt64(max(metric_points.points))
                - if(start_time < fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC'), toInt64(min(metric_points.points)), 0),
            toInt64(sum(metric_points.points))
        ) AS measured,
        max(time) AS latest
    FROM metric_points FINAL
    WHERE project = {project:String}
        AND time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
        AND time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
        AND (empty({environment:Array(String)}) OR environment IN {environment:Array(String)})
        AND (empty({agent:Array(String)}) OR agent IN {agent:Array(String)})
        AND (empty({model:Array(String)}) OR model IN {model:Array(String)})
    GROUP BY metric, unit, service, agent, model, token_kind, series, start_time, is_cumulative
)
SELECT
    metric,
    unit,
    service,
    agent,
    model,
    token_kind,
    sum(increase) AS value,
    sum(measured) AS points,
    max(latest) AS last_seen
FROM series
GROUP BY metric, unit, service, agent, model, token_kind
ORDER BY metric, service, agent, model, token_kind
