ALTER TABLE contents DROP PARTITION ID {partition_id:String}
