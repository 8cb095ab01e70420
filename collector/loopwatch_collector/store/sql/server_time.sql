-- The server's clock, ns since the epoch: collectors on several machines have several.
SELECT toUnixTimestamp64Nano(now64(9))
