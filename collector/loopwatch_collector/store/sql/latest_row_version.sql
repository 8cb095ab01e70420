SELECT greatest(
    (SELECT max(row_version) FROM verdicts),
    (SELECT max(row_version) FROM alerts),
    (SELECT max(row_version) FROM alert_rules),
    (SELECT max(row_version) FROM alert_remarks)
)
