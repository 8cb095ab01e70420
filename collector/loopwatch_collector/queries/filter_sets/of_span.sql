-- The numbers of the sets of filters that a model call passes, a row for each: sets are bits, and each value of a
-- dimension knows the sets that let it pass. A set passes what lies in its own range too, which may begin later than
-- the question's.
arrayJoin(bitPositionsToArray(bitAnd(bitAnd(bitAnd(bitAnd(bitAnd(
    -- each beginning knows the sets that begin there or earlier; no row lies before the first
    transform(roundDown(toUnixTimestamp64Nano(start_time), {window_from_ns:Array(Int64)}), {window_from_ns:Array(Int64)}, {window_sets:Array(UInt64)}, toUInt64(0)),
    transform(toString(environment), {environment_values:Array(String)}, {environment_sets:Array(UInt64)}, {environment_other_sets:UInt64})),
    transform(toString(agent), {agent_values:Array(String)}, {agent_sets:Array(UInt64)}, {agent_other_sets:UInt64})),
    transform(toString(agent_version), {version_values:Array(String)}, {version_sets:Array(UInt64)}, {version_other_sets:UInt64})),
    transform(toString(model), {model_values:Array(String)}, {model_sets:Array(UInt64)}, {model_other_sets:UInt64})),
    transform(customer_id, {customer_values:Array(String)}, {customer_sets:Array(UInt64)}, {customer_other_sets:UInt64}))
)) AS filter_set,
