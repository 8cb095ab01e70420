-- What is known of a run stands beside each set of filters that the run passes.
INNER JOIN (SELECT run_id, filter_set FROM selected_runs) AS passed_by USING (run_id)
