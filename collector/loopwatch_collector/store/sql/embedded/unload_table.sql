DETACH TABLE {table:Identifier}
