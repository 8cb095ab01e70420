SELECT count() AS rows, sum(cityHash64(tuple(*))) AS digest FROM {table:Identifier} FINAL
