-- The runs of which a span, or its resource, says something of an attribute.
SELECT run_id
FROM (
    SELECT
        run_id,
        if(
            attributes[{{{attribute}}:String}] != '',
            attributes[{{{attribute}}:String}],
            attributes[concat('resource.', {{{attribute}}:String})]
        ) AS label
    FROM spans
    -- a run's spans may begin before it by a clock that is late, and go on for a day after the range
    WHERE project = {project:String}
        AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 HOUR
        AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') + INTERVAL 1 DAY
        AND run_id != ''
)
WHERE label != '' AND {{said}}
