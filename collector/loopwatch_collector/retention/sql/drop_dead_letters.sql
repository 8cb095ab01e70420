ALTER TABLE dead_letters DROP PARTITION ID {partition_id:String}
