"""A channel from its TOML table: every fault found, each with its line."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from loopwatch_collector.alerts.errors import DestinationRefused, Fault
from loopwatch_collector.alerts.toml_lines import Lines, Path
from loopwatch_collector.alerts.webhook import check_url

_CHANNEL_KEYS: Final = frozenset({"apprise", "webhook", "secret", "allow_private"})


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """Where messages go.

    Attributes:
        name: as rules call it.
        kind: apprise or webhook.
        url: may hold a key, so it is never shown.
        secret: signs a webhook's messages.
        allow_private: a webhook may be on a private network.
    """

    name: str
    kind: str
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    allow_private: bool = False


def read_channel(
    name: str, table: Any, lines: Lines, environment: Mapping[str, str], faults: list[Fault]
) -> ChannelSettings | None:
    """Reads a channel.

    Args:
        name: as rules call it.
        table: its `[channels.NAME]`.
        lines: of the document.
        environment: what `${NAME}` stands for.
        faults: where what is wrong is added.

    Returns:
        The channel; None when nothing can be sent with it.
    """
    path: Path = ("channels", name)
    entries: dict[str, Any] = dict(table) if isinstance(table, dict) else {}  # pyright: ignore[reportUnknownArgumentType]  # of a TOML table
    faults.extend(
        Fault(lines.of((*path, key)), f"a channel has no '{key}'{near(key, _CHANNEL_KEYS)}")
        for key in entries.keys() - _CHANNEL_KEYS
    )
    kinds = [kind for kind in ("apprise", "webhook") if kind in entries]
    if len(kinds) != 1:
        faults.append(Fault(lines.of(path), f"channel {name} needs either 'apprise' or 'webhook', with its URL"))
        return None
    if kinds == ["webhook"] and "secret" not in entries:
        faults.append(Fault(lines.of(path), f"channel {name} needs 'secret', with which its messages are signed"))
        return None
    if not isinstance(entries.get("allow_private", False), bool):
        faults.append(Fault(lines.of((*path, "allow_private")), "allow_private must be true or false"))
        return None
    try:
        url, secret = (_with_environment(str(entries.get(key, "")), environment) for key in (kinds[0], "secret"))
    except KeyError as missing:
        faults.append(Fault(lines.of(path), f"channel {name}: the environment has no variable {missing}"))
        return None
    if kinds == ["webhook"] and (wrong := _wrong_webhook(url, secret)):
        faults.append(Fault(lines.of((*path, wrong[0])), f"channel {name}: {wrong[1]}"))
        return None
    return ChannelSettings(name, kinds[0], url, secret, entries.get("allow_private", False))


def near(word: str, words: Any) -> str:
    """What to say after a word that is none of those there are: the one that was probably meant, or all of them."""
    close = get_close_matches(word, list(words), n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; there are {', '.join(sorted(words))}"


def _wrong_webhook(url: str, secret: str) -> tuple[str, str] | None:
    """The key that nothing can be sent with, and why; the address itself is not said, for it may hold a key."""
    try:
        check_url(url)
    except DestinationRefused as refused:
        return "webhook", str(refused)
    return None if secret else ("secret", "'secret' is empty")


def _with_environment(text: str, environment: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda match: environment[match[1]], text)
