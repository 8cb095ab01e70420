BACKUP DATABASE default TO File({name:String})
