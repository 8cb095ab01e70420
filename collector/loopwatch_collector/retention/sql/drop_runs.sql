ALTER TABLE runs DROP PARTITION ID {partition_id:String}
