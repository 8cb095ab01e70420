BACKUP DATABASE default TO File({name:String}) SETTINGS base_backup = File({base:String})
