-- title: Verdicts
-- description: What people and evaluators said of the runs, by the name of the verdict; the last per run, name and author counts. The interval is of the mean score, at 95 %.
-- column: name text | What was judged
-- column: verdicts count | Verdicts
-- column: runs runs | Runs with one
-- column: run_rate ratio | Share of the runs that started in the range
-- column: mean_score ratio | Mean of those with a score
-- column: score_low ratio | Lower end of its interval
-- column: score_high ratio | Upper end of its interval
-- column: labels text | The labels given, the most frequent first
-- with: selected_runs, selected_verdicts
WITH (SELECT count() FROM selected_runs) AS all_runs
SELECT
    name,
    count() AS verdicts,
    uniqExact(run_id) AS runs,
    runs / all_runs AS run_rate,
    avgOrNull(score) AS mean_score,
    mean_score - 1.959963984540054 * stddevSampOrNull(score) / sqrt(count(score)) AS score_low,
    mean_score + 1.959963984540054 * stddevSampOrNull(score) / sqrt(count(score)) AS score_high,
    arrayStringConcat(topKIf(5)(toString(label), label != ''), ', ') AS labels
FROM selected_verdicts
GROUP BY name
ORDER BY verdicts DESC, name
