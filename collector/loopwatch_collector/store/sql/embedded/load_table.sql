ATTACH TABLE IF NOT EXISTS {table:Identifier}
