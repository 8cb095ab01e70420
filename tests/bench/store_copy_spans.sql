-- A day of spans again, so many days earlier: other ids, the same everything else.
INSERT INTO spans
SELECT * REPLACE (
    sipHash128(trace_id, {shift:UInt32}) AS trace_id,
    reinterpretAsFixedString(sipHash64(span_id, {shift:UInt32})) AS span_id,
    if(parent_span_id = unhex('0000000000000000'), parent_span_id,
        reinterpretAsFixedString(sipHash64(parent_span_id, {shift:UInt32}))) AS parent_span_id,
    start_time - toIntervalDay({shift:UInt32}) AS start_time,
    lower(hex(sipHash128(run_id, {shift:UInt32}))) AS run_id,
    if(response_id = '', '', concat('msg_', lower(hex(sipHash64(response_id, {shift:UInt32}))))) AS response_id,
    if(call_key = '', '', concat(run_id, ':', response_id)) AS call_key,
    if(tool_call_id = '', '', concat('toolu_', lower(hex(sipHash64(tool_call_id, {shift:UInt32}))))) AS tool_call_id,
    arrayMap(time -> time - toIntervalDay({shift:UInt32}), event_times) AS event_times
)
FROM spans
WHERE project = {project:String} AND toDate(spans.start_time) = {day:Date}
SETTINGS optimize_on_insert = 1
