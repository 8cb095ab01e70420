"""Provider and model of a call, under the names the conventions use now."""

from typing import Any, Final

from loopwatch_collector.write.aliases import SLOTS

_PROVIDER: Final = SLOTS["provider"]
_REQUEST: Final = SLOTS["request_model"]
_RESPONSE: Final = SLOTS["response_model"]
_MODEL: Final = SLOTS["model"]
_DIALECT: Final = SLOTS["dialect"]
_NAME: Final = SLOTS["name"]

# Older or foreign spellings. An empty one says nothing about who serves the model.
_PROVIDERS: Final = {
    "vertex_ai": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "azure": "azure.ai.openai",
    "xai": "x_ai",
    "bedrock": "aws.bedrock",
    "mistralai": "mistral_ai",
    "mistral": "mistral_ai",
    "strands-agents": "",
    "langchain": "",
}
_BY_MODEL: Final = (
    ("claude", "anthropic"), ("gpt-", "openai"), ("o1", "openai"), ("o3", "openai"), ("o4", "openai"),
    ("gemini", "gcp.gemini"), ("mistral", "mistral_ai"), ("command", "cohere"), ("deepseek", "deepseek"),
    ("grok", "x_ai"),
)  # fmt: skip


def complete(row: list[Any]) -> None:
    """Fills model and provider of a row in the making."""
    if row[_DIALECT] == "genkit" and not row[_REQUEST]:
        _split_name(row)
    row[_MODEL] = row[_RESPONSE] or row[_REQUEST]
    provider = row[_PROVIDER].lower()
    # Vercel's SDK adds the API: anthropic.messages, openai.chat, openai.responses.
    provider = provider.removesuffix(".messages").removesuffix(".chat").removesuffix(".responses")
    row[_PROVIDER] = _PROVIDERS.get(provider, provider) or _inferred(row[_MODEL])


def _split_name(row: list[Any]) -> None:
    # Genkit names the span and nothing else after the model: anthropic/claude-opus-5-5
    provider, _, model = row[_NAME].rpartition("/")
    row[_REQUEST] = model
    row[_PROVIDER] = row[_PROVIDER] or provider


def _inferred(model: str) -> str:
    name = model.rsplit("/", 1)[-1].lower()
    return next((provider for prefix, provider in _BY_MODEL if name.startswith(prefix)), "")
