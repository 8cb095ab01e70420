SELECT DISTINCT run_id
FROM (
{{moments}}
)
WHERE {{conditions}}
