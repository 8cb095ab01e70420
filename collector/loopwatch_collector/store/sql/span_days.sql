-- The days that have spans, by project, in order.
SELECT DISTINCT project, toDate(start_time) AS day FROM spans ORDER BY project, day
