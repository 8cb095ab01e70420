-- When the oldest verdict of each project was given.
SELECT project, toDate(min(time)) AS day
FROM verdicts
GROUP BY project
