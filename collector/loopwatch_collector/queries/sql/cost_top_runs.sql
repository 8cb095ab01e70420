-- title: Most expensive runs
-- description: Runs by cost, the dearest first; runs without a price come last, by tokens.
-- column: run_id text | The run
-- column: agent text | Its agent
-- column: start_time time | When it started
-- column: outcome text | How it ended
-- column: iterations count | Passes of its loop
-- column: cost_usd usd | What it cost; none where no call has a price
-- column: total_tokens tokens | Input and output
-- with: selected_runs
SELECT run_id, agent, start_time, outcome, iterations, cost_usd, input_tokens + output_tokens AS total_tokens
FROM selected_runs
ORDER BY cost_usd DESC NULLS LAST, total_tokens DESC, run_id
