-- title: Metrics that senders reported
-- description: What metrics of agents add up to in the range, for senders that report tokens, cost or durations as metrics only. Not part of any other number here: a sender that writes spans too says the same twice. A counter's increase is of the range its later report lies in, counted from the report before, up to a day earlier; so adjacent ranges add up. The version and customer filters do not apply.
-- column: metric text | The metric's name
-- column: unit text | Its unit, as the sender wrote it
-- column: service text | The service that reported it
-- column: agent text | The agent, where the sender says
-- column: model text | The model, where the sender says
-- column: token_kind text | input, output, cache_read, cache_write or reasoning
-- column: value count | Sum of counters' increases and histograms' sums; a gauge's last value
-- column: points count | Measurements behind it
-- column: last_seen time | When it was last reported
WITH
    reports AS (
        SELECT
            *,
            lagInFrame(value) OVER earlier AS value_before,
            toInt64(lagInFrame(metric_points.points) OVER earlier) AS points_before,
            row_number() OVER earlier AS place
        FROM metric_points FINAL
        WHERE project = {project:String}
            AND time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 DAY
            AND time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
            AND (empty({environment:Array(String)}) OR environment IN {environment:Array(String)})
            AND (empty({agent:Array(String)}) OR agent IN {agent:Array(String)})
            AND (empty({model:Array(String)}) OR model IN {model:Array(String)})
        WINDOW earlier AS (
            PARTITION BY metric, series, start_time ORDER BY time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
        )
    ),
    increases AS (
        SELECT
            *,
            multiIf(
                NOT is_cumulative, 'whole',
                -- what a running total had when it was first seen is of its beginning; had that been long ago,
                -- nobody knows of when
                place = 1, if(time > start_time + INTERVAL 1 HOUR, 'unknown', 'whole'),
                -- one that fell began anew
                value >= value_before AND toInt64(reports.points) >= points_before, 'difference',
                'whole'
            ) AS taken,
            multiIf(taken = 'unknown', 0, taken = 'difference', value - value_before, value) AS more,
            multiIf(
                kind != 'distribution' OR taken = 'whole', toInt64(reports.points),
                taken = 'difference', toInt64(reports.points) - points_before,
                0
            ) AS more_points
        FROM reports
        WHERE time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    ),
    series AS (
        SELECT
            metric, unit, service, agent, model, token_kind,
            if(kind = 'gauge', argMax(value, time), sum(more)) AS increase,
            sum(more_points) AS measured,
            max(time) AS latest
        FROM increases
        GROUP BY metric, unit, service, agent, model, token_kind, kind, series, start_time
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
