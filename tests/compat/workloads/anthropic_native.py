"""The Anthropic client's own spans: its tool runner for the agent's loop, then one streamed call."""

import anthropic
import incident

provider = incident.tracer_provider()
client = anthropic.Anthropic(open_telemetry={"traces": {"content_mode": "content"}})
client = client.with_options(
    open_telemetry={"traces": {"content_mode": "content"}, "conversation_id": incident.CONVERSATION_ID}
)
with provider.get_tracer("shop").start_as_current_span("POST /alerts"):
    runner = client.beta.messages.tool_runner(
        model=incident.MODEL,
        max_tokens=incident.MAX_TOKENS,
        system=incident.SYSTEM_BLOCKS,
        thread=False,
        tools=[anthropic.beta_tool(tool) for tool in incident.TOOLS],
        messages=[{"role": "user", "content": incident.QUESTION}],
    )
    last = runner.until_done()
    with client.messages.stream(
        model=incident.MODEL,
        max_tokens=incident.MAX_TOKENS,
        system=incident.SYSTEM_BLOCKS,
        messages=[{"role": "user", "content": f"Say it in one sentence: {last.content[0].text}"}],
    ) as stream:
        answer = stream.get_final_message()
provider.shutdown()
incident.report(answer.content[0].text)
