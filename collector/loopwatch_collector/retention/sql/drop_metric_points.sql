ALTER TABLE metric_points DROP PARTITION ID {partition_id:String}
