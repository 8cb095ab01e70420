-- title: Two versions compared
-- description: Measures of the runs of two versions of an agent, with the probability that a difference this large is chance (Welch's t-test for means, z-test for shares; below 0.05 is commonly called significant).
-- param: version_a String | The version to compare with
-- param: version_b String | The version that is compared
-- column: measure text | What is compared
-- column: a count | Its mean or share in version a
-- column: b count | Its mean or share in version b
-- column: difference count | b - a
-- column: relative_difference ratio | (b - a) / a
-- column: p_value ratio | Probability of such a difference by chance; none with too few runs
-- column: runs_a runs | Ended runs of version a
-- column: runs_b runs | Ended runs of version b
-- with: selected_runs
WITH
    both AS (
        SELECT
            agent_version = {version_b:String} AS is_b,
            arrayJoin([
                ('completion_rate', 1, toFloat64(outcome = 'completed')),
                ('escalation_rate', 1, toFloat64(outcome = 'escalated')),
                ('failure_rate', 1, toFloat64(outcome = 'failed')),
                ('iterations', 0, toFloat64(iterations)),
                ('tool_errors', 0, toFloat64(tool_errors)),
                ('cost_usd', 0, if(isNull(cost_usd), nan, toFloat64(assumeNotNull(cost_usd)))),
                ('total_tokens', 0, toFloat64(input_tokens + output_tokens)),
                ('duration_ns', 0, toFloat64(duration_ns))
            ]) AS entry,
            entry.1 AS measure,
            entry.2 AS is_share,
            entry.3 AS value
        FROM selected_runs
        WHERE ended AND agent_version IN ({version_a:String}, {version_b:String})
    ),
    moments AS (
        SELECT
            measure,
            any(is_share) AS is_share,
            countIf(NOT is_b) AS runs_a,
            countIf(is_b) AS runs_b,
            avgOrNullIf(value, NOT is_b) AS a,
            avgOrNullIf(value, is_b) AS b,
            welchTTest(value, is_b).2 AS welch,
            (a * runs_a + b * runs_b) / (runs_a + runs_b) AS pooled,
            abs(b - a) / sqrt(pooled * (1 - pooled) * (1 / runs_a + 1 / runs_b)) AS z
        FROM both
        WHERE NOT isNaN(value)
        GROUP BY measure
    )
SELECT
    measure,
    a,
    b,
    b - a AS difference,
    (b - a) / nullIf(a, 0) AS relative_difference,
    multiIf(
        least(runs_a, runs_b) < 2, NULL,
        a = b, 1,
        is_share, toFloat64(erfc(z / sqrt(2))),
        isNaN(welch), NULL,
        welch
    ) AS p_value,
    runs_a,
    runs_b
FROM moments
ORDER BY indexOf(['completion_rate', 'escalation_rate', 'failure_rate', 'iterations', 'tool_errors', 'cost_usd', 'total_tokens', 'duration_ns'], measure)
