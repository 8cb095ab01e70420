SELECT run_id
FROM (
{{moments}}
)
GROUP BY run_id
HAVING sequenceMatch('{{pattern}}')(at_ns, {{conditions}})
