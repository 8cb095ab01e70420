-- The numbers of the sets of filters that a run passes, a row for each; see of_span. One of its models is enough.
arrayJoin(bitPositionsToArray(bitAnd(bitAnd(bitAnd(bitAnd(bitAnd(
    -- each beginning knows the sets that begin there or earlier; no row lies before the first
    transform(roundDown(toUnixTimestamp64Nano(start_time), {window_from_ns:Array(Int64)}), {window_from_ns:Array(Int64)}, {window_sets:Array(UInt64)}, toUInt64(0)),
    transform(toString(environment), {environment_values:Array(String)}, {environment_sets:Array(UInt64)}, {environment_other_sets:UInt64})),
    transform(toString(agent), {agent_values:Array(String)}, {agent_sets:Array(UInt64)}, {agent_other_sets:UInt64})),
    transform(toString(agent_version), {version_values:Array(String)}, {version_sets:Array(UInt64)}, {version_other_sets:UInt64})),
    arrayFold(
        (sets, name) -> bitOr(sets, transform(toString(name), {model_values:Array(String)}, {model_sets:Array(UInt64)}, {model_other_sets:UInt64})),
        model_names,
        {model_other_sets:UInt64}
    )),
    transform(customer_id, {customer_values:Array(String)}, {customer_sets:Array(UInt64)}, {customer_other_sets:UInt64}))
)) AS filter_set,
