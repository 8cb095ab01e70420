SELECT project, name, toml, enabled
FROM alert_rules FINAL
WHERE is_deleted = 0
ORDER BY project, name
