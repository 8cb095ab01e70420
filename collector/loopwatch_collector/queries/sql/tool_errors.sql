-- title: Error patterns of tools
-- description: Messages of failed tool calls, grouped by shape: numbers, ids and quoted values are taken out.
-- column: tool text | The tool
-- column: error_type text | Class or code of the error
-- column: pattern text | Shape of the message
-- column: calls calls | Failed calls of that shape
-- column: example_run_id text | The latest run with one
-- column: example_span_id text | The latest of these calls
-- column: last_seen time | When that was
-- with: selected_runs, selected_spans
-- threads: 2
SELECT
    tool,
    error_type,
    replaceRegexpAll(
        replaceRegexpAll(
            replaceRegexpAll(left(error_message, 500), '''[^'']*''|"[^"]*"', '…'),
            '\\b[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}\\b|\\b[0-9a-fA-F]{16,}\\b|\\b[A-Z]*[0-9]+[A-Z0-9]*\\b', '#'
        ),
        '[0-9]+', '#'
    ) AS pattern,
    count() AS calls,
    argMax(run_id, start_time) AS example_run_id,
    lower(hex(argMax(span_id, start_time))) AS example_span_id,
    max(start_time) AS last_seen
FROM selected_spans
WHERE kind = 'tool_call' AND tool_outcome = 'error'
GROUP BY tool, error_type, pattern
ORDER BY calls DESC, tool, error_type, pattern
