ALTER TABLE log_events DROP PARTITION ID {partition_id:String}
