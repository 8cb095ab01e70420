-- title: Escalated runs
-- description: Each escalated run, the latest first.
-- column: run_id text | The run
-- column: time time | When it ended
-- column: agent text | Its agent
-- column: version text | The agent's version
-- column: customer_id text | The customer
-- column: reason text | What the agent gave as reason
-- column: priority text | How urgent it said it was
-- column: last_tool text | The last tool it called
-- column: iterations count | Iterations until then
-- column: cost_usd usd | Cost until then
-- with: selected_runs
SELECT
    run_id,
    start_time + toIntervalNanosecond(duration_ns) AS time,
    agent,
    agent_version AS version,
    customer_id,
    escalation_reason AS reason,
    escalation_priority AS priority,
    last_tool,
    iterations,
    cost_usd
FROM selected_runs
WHERE outcome = 'escalated'
ORDER BY time DESC, run_id
