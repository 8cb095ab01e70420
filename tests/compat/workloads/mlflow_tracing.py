"""MLflow: its decorator and its tracing of the Anthropic client, exported over OpenTelemetry."""

import anthropic
import incident
import mlflow

mlflow.anthropic.autolog()
tools = {tool.__name__: mlflow.trace(span_type="TOOL")(tool) for tool in incident.TOOLS}


@mlflow.trace(name=incident.AGENT, span_type="AGENT")
def resolve_incident() -> str:
    """The agent."""
    mlflow.update_current_trace(
        metadata={"mlflow.trace.session": incident.CONVERSATION_ID, "mlflow.trace.user": incident.USER_ID}
    )
    return incident.resolve(anthropic.Anthropic(), tools)


answer = resolve_incident()
mlflow.flush_trace_async_logging()
incident.report(answer)
