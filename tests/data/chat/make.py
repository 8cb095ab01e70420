"""Writes support.json: a dozen transcripts of a support agent, small enough to be counted by hand.

Each run is written as a line of steps, in order: "u:TEXT" a user's message, "a:TEXT" an assistant's,
"tool(arguments) -> result" a tool call with its result. The counts a test expects stand in expected.json
and were counted by reading the lines below, not by a program.
"""

import json
import re
from pathlib import Path

RUNS = [
    # (task, trial, reward, customer, steps)
    (0, 0, 1.0, "acme", ["u:Where is order 7?", "get_order(id=7) -> {\"status\": \"sent\"}", "a:It was sent."]),
    (0, 1, 1.0, "acme", ["u:Where is order 7?", "a:Which order?", "u:7", "get_order(id=7) -> {\"status\": \"sent\"}", "a:Sent."]),
    (1, 0, 0.0, "acme", ["u:Refund order 9", "refund(id=9) -> Error: order 9 not found", "a:I could not."]),
    (1, 1, 0.0, "birch", ["u:Refund order 9", "refund(id=9) -> Error: order 9 not found",
                          "refund(id=9) -> Error: order 9 not found", "a:I could not."]),
    (2, 0, 1.0, "birch", ["u:Refund order 5", "get_order(id=5) -> {\"status\": \"lost\"}", "refund(id=5) -> done", "a:Refunded."]),
    (2, 1, 0.0, "birch", ["u:Refund order 5", "refund(id=5) -> Error: order 5 is locked",
                          "transfer_to_human_agents(summary=order 5 is locked) -> Transfer successful"]),
    (3, 0, 1.0, "cedar", ["u:Hello", "a:Hello!"]),
    (3, 1, 1.0, "cedar", ["u:Find a red shirt", "search(q=red shirt) -> []", "search(q=shirt) -> [\"shirt 1\"]", "a:Shirt 1."]),
    (4, 0, 0.0, "cedar", ["u:I want a human", "transfer_to_human_agents(summary=asked for a human) -> Transfer successful"]),
    (4, 1, 1.0, "cedar", ["u:What is 2 + 2?", "calculate(e=2+2) -> 4", "a:4", "u:And 3 + 3?", "calculate(e=3+3) -> 6", "a:6"]),
    (5, 0, 0.0, "acme", ["u:Cancel order 4", "cancel(id=4) -> Error: already sent", "get_order(id=4) -> {\"status\": \"sent\"}",
                         "cancel(id=4) -> Error: already sent", "a:It was already sent."]),
    (5, 1, 1.0, "acme", ["u:Cancel order 3", "get_order(id=3) -> {\"status\": \"new\"}", "cancel(id=3) -> done", "a:Cancelled."]),
]  # fmt: skip


def _messages(steps: list[str]) -> list[dict[str, object]]:
    messages: list[dict[str, object]] = [{"role": "system", "content": "You help customers of a shop."}]
    for step in steps:
        if call := re.fullmatch(r"(\w+)\((\w+)=(.*?)\) -> (.*)", step):
            tool, name, value, result = call.groups()
            call_id = f"call_{len(messages)}"
            function = {"name": tool, "arguments": json.dumps({name: value})}
            messages.append(
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": call_id, "type": "function", "function": function}],
                }
            )
            messages.append({"role": "tool", "tool_call_id": call_id, "name": tool, "content": result})
        else:
            messages.append({"role": {"u": "user", "a": "assistant"}[step[0]], "content": step[2:]})
    return messages


def main() -> None:
    """Writes support.json beside this file."""
    records = [
        {"task_id": task, "trial": trial, "reward": reward, "customer": customer, "traj": _messages(steps)}
        for task, trial, reward, customer, steps in RUNS
    ]
    Path(__file__).with_name("support.json").write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
