-- title: Loops, one by one
-- description: Each loop of the runs that started in the range, the latest first.
-- param: identical_calls UInt32 = 3 | How often the same call makes a loop
-- column: run_id text | The run
-- column: agent text | Its agent
-- column: version text | The agent's version
-- column: kind text | identical_calls, cycle, no_progress, retry_storm or polling
-- column: tool text | The tool whose call completed it
-- column: at count | Which of the run's tool calls that was
-- column: calls calls | Calls that made it up then
-- column: found_time time | When that call ended
-- column: span_id text | That call
-- column: repeated_calls calls | Calls of the run that were repeats
-- column: wasted_tokens tokens | Tokens of the model calls that asked for them
-- column: wasted_usd usd | Their cost
-- with: selected_runs, loop_candidates, found_loops
-- needs: loop_candidates
SELECT
    run_id, agent, agent_version AS version, kind, tool, at, calls, found_time, span_id, repeated_calls,
    wasted_tokens, wasted_usd
FROM found_loops
ORDER BY found_time DESC, run_id, at
