-- title: Distribution of iterations
-- description: Runs by their number of iterations, told apart by agent, version and outcome.
-- column: agent text | The agent
-- column: version text | Its version
-- column: outcome text | How the runs ended
-- column: iterations count | Passes of the loop
-- column: runs runs | Runs that took so many
-- with: selected_runs
SELECT agent, agent_version AS version, outcome, iterations, count() AS runs
FROM selected_runs
GROUP BY agent, version, outcome, iterations
ORDER BY agent, version, outcome, iterations
