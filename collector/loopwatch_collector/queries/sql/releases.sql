-- title: Releases against the version before
-- description: For each version of an agent whose first run lies in the range: how its ended runs compare with those of the version before, since two weeks before the range. Each difference is the least that the data supports: the lower end of its interval at 99.9 %, below 0 where there may be none. None with fewer than 20 runs of either (20 with a price, for the cost). The version filter does not apply.
-- column: release text | The agent and its new version
-- column: agent text | The agent
-- column: version text | The new version
-- column: previous_version text | The last one before it that made a tenth of the agent's runs
-- column: runs runs | Ended runs of the new version
-- column: previous_runs runs | Ended runs of the version before
-- column: more_iterations ratio | At least by so much it takes more iterations a run
-- column: more_cost ratio | At least by so much a run costs more
-- column: fewer_completed ratio | At least so much smaller is the share of its runs that complete
-- column: example_run_id text | Its run of most iterations
-- threads: 2
WITH
    3.2905 AS z,
    20 AS least_runs,
    by_version AS (
        SELECT
            agent,
            (
                toString(agent_version),
                min(start_time),
                countIf(ended),
                avgIf(iterations, ended),
                varSampIf(iterations, ended),
                avgIf(toFloat64(cost_usd), ended AND isNotNull(cost_usd)),
                varSampIf(toFloat64(cost_usd), ended AND isNotNull(cost_usd)),
                countIf(ended AND outcome = 'completed'),
                argMaxIf(run_id, iterations, ended),
                countIf(ended AND isNotNull(cost_usd))
            )::Tuple(
                -- cost and its variance are NULL where no run has a price
                version String, first_seen DateTime64(9, 'UTC'), runs UInt64, iterations Float64, iterations_variance Float64,
                cost Nullable(Float64), cost_variance Nullable(Float64), completed UInt64, example String, priced UInt64
            ) AS facts
        FROM runs FINAL
        WHERE project = {project:String}
            AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 14 DAY
            AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
            AND agent != ''
            AND agent_version != ''
            AND (empty({environment:Array(String)}) OR has({environment:Array(String)}, environment))
            AND (empty({agent:Array(String)}) OR has({agent:Array(String)}, agent))
            AND (empty({model:Array(String)}) OR hasAny({model:Array(String)}, model_names))
            AND (empty({customer:Array(String)}) OR has({customer:Array(String)}, customer_id))
        GROUP BY agent, agent_version
    ),
    by_agent AS (
        SELECT
            agent,
            groupArray(facts) AS versions,
            arrayFilter(one -> one.first_seen < fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC'), versions) AS known,
            arrayLast(
                one -> one.runs * 10 >= arraySum(other -> other.runs, known),
                arraySort(one -> one.first_seen, known)
            ) AS old,
            arrayFilter(one -> one.first_seen >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC'), versions) AS released
        FROM by_version
        GROUP BY agent
        HAVING notEmpty(known)
    ),
    compared AS (
        SELECT agent, old, arrayJoin(released) AS new, least(new.runs, old.runs) >= least_runs AS is_enough FROM by_agent
    ),
    intervals AS (
        -- Wilson's interval of each share of completed runs; its ends combined as Newcombe did (1998, method 10)
        SELECT
            *,
            old.completed / old.runs AS old_share,
            new.completed / new.runs AS new_share,
            (old_share + z * z / (2 * old.runs)
                - z * sqrt(old_share * (1 - old_share) / old.runs + z * z / (4 * old.runs * old.runs))) / (1 + z * z / old.runs) AS old_low,
            (new_share + z * z / (2 * new.runs)
                + z * sqrt(new_share * (1 - new_share) / new.runs + z * z / (4 * new.runs * new.runs))) / (1 + z * z / new.runs) AS new_high
        FROM compared
    )
SELECT
    concat(agent, ' ', new.version) AS release,
    agent,
    new.version AS version,
    old.version AS previous_version,
    new.runs AS runs,
    old.runs AS previous_runs,
    if(is_enough, (new.iterations - old.iterations
        - z * sqrt(new.iterations_variance / new.runs + old.iterations_variance / old.runs)) / old.iterations, NULL) AS more_iterations,
    if(least(new.priced, old.priced) >= least_runs AND old.cost > 0, (new.cost - old.cost
        - z * sqrt(new.cost_variance / new.priced + old.cost_variance / old.priced)) / old.cost, NULL) AS more_cost,
    if(is_enough, old_share - new_share - sqrt(pow(old_share - old_low, 2) + pow(new_high - new_share, 2)), NULL) AS fewer_completed,
    new.example AS example_run_id
FROM intervals
ORDER BY release
