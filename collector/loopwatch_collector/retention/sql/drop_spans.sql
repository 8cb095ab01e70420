ALTER TABLE spans DROP PARTITION ID {partition_id:String}
