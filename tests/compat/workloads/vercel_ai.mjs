// Vercel's AI SDK: its own loop, whole and then streamed, with its telemetry (the integration of version 7 where there is one).
import { createAnthropic } from "@ai-sdk/anthropic";
import { trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import * as ai from "ai";
import { z } from "zod";
import { AGENT, CONVERSATION_ID, MODEL, QUESTION, SYSTEM, TOOLS, USER_ID, report } from "./incident.mjs";

const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
provider.register();
if (ai.registerTelemetry) {
  const { OpenTelemetry } = await import("@ai-sdk/otel");
  ai.registerTelemetry(new OpenTelemetry());
}
const anthropic = createAnthropic({ baseURL: `${process.env.ANTHROPIC_BASE_URL}/v1` });
const schemas = {
  search_logs: z.object({ query: z.string(), minutes: z.number() }),
  get_metrics: z.object({ service: z.string(), metric: z.string() }),
  list_recent_deployments: z.object({}),
  create_incident_ticket: z.object({ title: z.string(), severity: z.string() }),
};
const telemetry = {
  isEnabled: true,
  functionId: AGENT,
  metadata: { sessionId: CONVERSATION_ID, userId: USER_ID },
};
const cached = { anthropic: { cacheControl: { type: "ephemeral" } } };
const settings = {
  model: anthropic(MODEL),
  maxOutputTokens: 1024,
  tools: Object.fromEntries(Object.entries(TOOLS).map(([name, execute]) => [
    name, ai.tool({ description: name.replaceAll("_", " "), inputSchema: schemas[name], execute }),
  ])),
  stopWhen: ai.stepCountIs ? ai.stepCountIs(8) : ai.isStepCount(8),
  experimental_telemetry: telemetry,
  telemetry,
};
const instructions = { role: "system", content: SYSTEM, providerOptions: cached };
const prompt = ai.registerTelemetry ? { instructions } : { system: instructions };
const messages = [{ role: "user", content: QUESTION }];
const answer = await trace.getTracer("shop").startActiveSpan("POST /alerts", async (span) => {
  const whole = await ai.generateText({ ...settings, ...prompt, messages });
  const streamed = ai.streamText({
    ...settings, ...prompt, messages: [...messages, ...whole.response.messages, { role: "user", content: "Thanks." }],
  });
  for await (const _ of streamed.textStream);
  span.end();
  return whole.text;
});
await provider.shutdown();
report(answer);
