-- As for spans (0080).
ALTER TABLE runs
    MODIFY COLUMN agent CODEC(ZSTD(1)),
    MODIFY COLUMN agent_version CODEC(ZSTD(1)),
    MODIFY COLUMN service CODEC(ZSTD(1)),
    MODIFY COLUMN environment CODEC(ZSTD(1)),
    MODIFY COLUMN prompt_name CODEC(ZSTD(1)),
    MODIFY COLUMN prompt_version CODEC(ZSTD(1)),
    MODIFY COLUMN ended CODEC(ZSTD(1)),
    MODIFY COLUMN outcome CODEC(ZSTD(1)),
    MODIFY COLUMN limit_name CODEC(ZSTD(1)),
    MODIFY COLUMN error_type CODEC(ZSTD(1)),
    MODIFY COLUMN escalation_priority CODEC(ZSTD(1)),
    MODIFY COLUMN last_tool CODEC(ZSTD(1))
