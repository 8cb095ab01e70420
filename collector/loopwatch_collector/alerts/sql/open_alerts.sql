-- Alerts that may still change: not over, over so lately that they may be reopened, or with messages to deliver.
SELECT body
FROM alerts FINAL
WHERE started_at > now64(3) - INTERVAL 400 DAY
    AND (state IN ('pending', 'firing') OR undelivered > 0 OR (state = 'resolved' AND started_at > now64(3) - INTERVAL 30 DAY))
