-- The days that were repriced last.
SELECT day, repriced_at, calls, changed_calls, before_usd, after_usd, is_under_way
FROM repriced_days FINAL
WHERE project = {project:String}
ORDER BY repriced_at DESC
LIMIT 100
