// What incident.py is for the workloads in Python: the same agent, prompt and tools.
import { writeFileSync } from "node:fs";

export const MODEL = "claude-opus-5-5";
export const AGENT = "incident-resolver";
export const CONVERSATION_ID = "conversation-4711";
export const USER_ID = "user-17";
export const QUESTION = "checkout-api: error rate 12% over the last 10 minutes (threshold 2%)";
export const SYSTEM = [
  "You are the incident resolver of an online shop. Find the service at fault, open one ticket, then stop.",
  "# The services and whom they call",
  "- web-frontend calls checkout-api, search-api.",
  "- checkout-api calls payment-gateway, orders-db.",
  "- payment-gateway.",
  "- orders-db.",
  "- search-api.",
  "# Rules",
  ...Array.from({ length: 30 }, (_, index) =>
    `${index + 1}. An error about a call to another service is a symptom: look at that service before you decide ` +
    `anything about this one, and write down which of the sources of rule ${index + 1} agree with it.`),
].join("\n");

const executed = [];
const failed = [];

function tool(name, answer) {
  return (input) => {
    executed.push(name);
    return JSON.stringify(answer(input));
  };
}

export const TOOLS = {
  search_logs: tool("search_logs", ({ query, minutes }) => ({
    minutes,
    lines: [{ level: "ERROR", service: "checkout-api", message: `NullPointerException in CartTotal (${query})` }],
  })),
  get_metrics: tool("get_metrics", ({ service, metric }) => {
    if (!failed.length) {
      failed.push("get_metrics");
      throw new Error("the metrics backend timed out");
    }
    return { service, metric, usual: 0.004, values: [0.004, 0.09, 0.12] };
  }),
  list_recent_deployments: tool("list_recent_deployments", () => [{ service: "checkout-api", version: "2.14.0" }]),
  create_incident_ticket: tool("create_incident_ticket", ({ title, severity }) => ({
    ticket: "INC-1042", title, severity,
  })),
};

export function report(answer) {
  writeFileSync(process.env.COMPAT_REPORT, JSON.stringify({ tool_calls: executed, failed, answer }));
}
