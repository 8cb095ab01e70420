"""What the body of a model's answer says, where the library put it into content and not into attributes.

OpenInference, MLflow and Genkit keep the provider's whole answer as one JSON text; its id is what tells that
another span reports the same call.
"""

from typing import Any, Final, cast

import orjson

from loopwatch_collector.write.aliases import SLOTS
from loopwatch_collector.write.values import MAX_TEXT_CHARS

DIALECTS: Final = frozenset({"openinference", "mlflow", "genkit", "langsmith", "laminar", "langfuse"})
_MAX_BYTES: Final = 1_000_000
_OUTPUT: Final = SLOTS["output"]
_VALUE_OUT: Final = SLOTS["value_out"]
_TEXTS: Final = tuple(
    (SLOTS[field], spellings)
    for field, spellings in (
        ("response_id", ("id",)),
        ("response_model", ("model",)),
        ("stop_reason", ("stop_reason", "finishReason", "finish_reason")),
    )
)
_USAGE: Final = SLOTS["answer_usage"]


def complete(row: list[Any], ranks: dict[int, int]) -> None:
    """Fills what no attribute gave: response id, model, stop reason; usage is left for the usage rules.

    Args:
        row: a model call in the making.
        ranks: which slots an attribute filled.
    """
    answer = _answer_of(row[_VALUE_OUT] or row[_OUTPUT])
    for slot, spellings in _TEXTS:
        if slot not in ranks:
            found = next((answer[name] for name in spellings if isinstance(answer.get(name), str)), "")
            row[slot] = cast("str", found)[:MAX_TEXT_CHARS] or row[slot]
    usage = answer.get("usage")
    if isinstance(usage, dict):
        row[_USAGE] = usage


def _answer_of(text: bytes | None) -> dict[str, Any]:
    if not text or text[:1] not in b"{[" or len(text) > _MAX_BYTES:
        return {}
    try:
        found: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    elements = cast("list[Any]", found if isinstance(found, list) else [found])
    return cast("dict[str, Any]", elements[0]) if len(elements) == 1 and isinstance(elements[0], dict) else {}
