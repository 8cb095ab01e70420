"""Colours with a fixed meaning, the same on every page; told apart in all common forms of colour blindness.

The hues are Okabe and Ito's (https://jfly.uni-koeln.de/color/), which keep contrast on light and on dark.
"""

from collections.abc import Sequence
from typing import Final, Literal

BLUE: Final = "#0072B2"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
ORANGE: Final = "#E69F00"
VERMILION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#8A94A0"
BROWN: Final = "#A0522D"
SLATE: Final = "#5C6672"  # for areas that stand for the rest: GREY is taken for PURPLE where red and green look alike
ACCENT: Final = "#2F86D6"
INK: Final = "#16202C"  # on a mark: dark enough on all of these, in either theme

# What Streamlit calls the colours of its badges.
Badge = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray"]

OUTCOMES: Final = {
    "completed": GREEN,
    "escalated": ORANGE,
    "failed": VERMILION,
    "stopped": PURPLE,
    "open": SKY,
    "abandoned": SLATE,
}
# The same without colour, for tables: what ended badly stands out while one scrolls.
OUTCOME_MARKS: Final = {
    "completed": "✓",
    "escalated": "↗",
    "failed": "✕",
    "stopped": "■",
    "open": "○",
    "abandoned": "–",
}
KINDS: Final = {
    "run": GREY,
    "iteration": "#B4BDC7",
    "step": GREEN,
    "model_call": BLUE,
    "tool_call": ORANGE,
    "other": SKY,
}
TOOL_OUTCOMES: Final = {"success": GREEN, "not_found": SKY, "error": VERMILION}
TOKEN_KINDS: Final = {"input": BLUE, "cache_read": SKY, "cache_write": ORANGE, "output": GREEN}
# What of a cost is of no kind of token; shown where there is some.
OTHER_COSTS: Final = {"web_search": PURPLE, "(not split)": SLATE}
# Names of ours, written with spaces where they are shown; a tool or a model is shown as it is called.
FIXED: Final = frozenset({*OUTCOMES, *KINDS, *TOOL_OUTCOMES, *TOKEN_KINDS, *OTHER_COSTS})
SERIES: Final = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, "#F0E442", BROWN)
OTHERS: Final = "all others"
NAMELESS: Final = "(none)"


def series(keys: Sequence[str]) -> dict[str, str]:
    """A colour for each key of a dimension, in the order given; what is beyond the palette is grey."""
    coloured = [key for key in keys if key != OTHERS]
    colours = {key: SERIES[i] if i < len(SERIES) else SLATE for i, key in enumerate(coloured)}
    return {**colours, OTHERS: SLATE} if OTHERS in keys else colours
