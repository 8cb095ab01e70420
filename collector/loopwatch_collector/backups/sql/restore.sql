RESTORE DATABASE default FROM File({name:String})
