-- Writes the repriced calls of one hour again, each with a higher version than before.
INSERT INTO spans
SELECT
    spans.* REPLACE (
        spans.row_version + 1 AS row_version,
        repriced_calls.cost_usd AS cost_usd,
        repriced_calls.input_cost_usd AS input_cost_usd,
        repriced_calls.output_cost_usd AS output_cost_usd,
        repriced_calls.cache_read_cost_usd AS cache_read_cost_usd,
        repriced_calls.cache_write_cost_usd AS cache_write_cost_usd,
        repriced_calls.uncached_cost_usd AS uncached_cost_usd,
        repriced_calls.price_source AS price_source,
        repriced_calls.price_version AS price_version
    )
FROM spans FINAL
INNER JOIN repriced_calls
    ON repriced_calls.trace_id = spans.trace_id AND repriced_calls.span_id = spans.span_id
WHERE spans.project = {project:String}
    AND spans.start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND spans.start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
    AND repriced_calls.project = {project:String}
    AND repriced_calls.job = {job:UInt64}
