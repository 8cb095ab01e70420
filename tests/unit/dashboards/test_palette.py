"""Colours that stay apart for everybody."""

import itertools
import math
from collections.abc import Mapping

import pytest

from loopwatch_dashboards.charts import palette

# How linear RGB looks without one kind of cone, from Machado, Oliveira and Fernandes (2009), A physiologically-based
# model for simulation of color vision deficiency, severity 1.0.
SIGHTS = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)
    ),
}  # fmt: skip
SETS: dict[str, Mapping[object, str]] = {
    "outcomes": palette.OUTCOMES,
    "kinds": palette.KINDS,
    "tool outcomes": palette.TOOL_OUTCOMES,
    "tokens": {**palette.TOKEN_KINDS, **palette.OTHER_COSTS},
    "series": palette.series([*"abcdefgh", palette.OTHERS]),
}


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def _lab(colour: str, sight: str) -> tuple[float, float, float]:
    """Where a colour is in CIELAB, in which distances are differences as seen."""
    told = [_linear(int(colour[start : start + 2], 16) / 255) for start in (1, 3, 5)]
    red, green, blue = (min(1, max(0, sum(a * b for a, b in zip(row, told, strict=True)))) for row in SIGHTS[sight])
    x, y, z = (
        ((value / white) ** (1 / 3) if value / white > 0.008856 else 7.787 * value / white + 16 / 116)
        for value, white in (
            (0.4124 * red + 0.3576 * green + 0.1805 * blue, 0.9505),
            (0.2126 * red + 0.7152 * green + 0.0722 * blue, 1),
            (0.0193 * red + 0.1192 * green + 0.9505 * blue, 1.089),
        )
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("name", SETS)
def test_colours_of_a_chart_stay_apart(name: str, sight: str) -> None:
    """No two colours that stand in one chart look alike, whatever cones a reader lacks."""
    pairs = itertools.combinations(SETS[name].items(), 2)
    alike = [(a, b) for (a, one), (b, other) in pairs if math.dist(_lab(one, sight), _lab(other, sight)) < 12]
    assert alike == []
