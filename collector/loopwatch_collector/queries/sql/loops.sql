-- title: Loops
-- description: Runs that went in circles: the same call with the same result again, a cycle of calls, different calls without progress, retries and polling without end. Wasted is what the model calls cost that asked for the repeats.
-- param: identical_calls UInt32 = 3 | How often the same call makes a loop
-- column: kind text | identical_calls, cycle, no_progress, retry_storm or polling
-- column: tool text | The tool whose call completed it
-- column: runs runs | Runs with such a loop
-- column: times count | Such loops
-- column: repeated_calls calls | Tool calls that were repeats
-- column: wasted_tokens tokens | Tokens of the model calls that asked for them
-- column: wasted_usd usd | Their cost
-- column: example_run_id text | The latest of these runs
-- with: selected_runs, loop_candidates, found_loops
-- needs: loop_candidates
SELECT
    kind,
    tool,
    uniqExact(run_id) AS runs,
    count() AS times,
    sum(found_loops.repeated_calls) AS repeated_calls,
    sum(found_loops.wasted_tokens) AS wasted_tokens,
    sum(found_loops.wasted_usd) AS wasted_usd,
    argMax(run_id, (found_time, run_id)) AS example_run_id
FROM found_loops
GROUP BY kind, tool
ORDER BY wasted_usd DESC, times DESC, kind, tool
