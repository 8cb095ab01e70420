"""Reads the collector's /metrics, which is Prometheus' text format."""

import re
from typing import Final

# https://prometheus.io/docs/instrumenting/exposition_formats/
_SAMPLE: Final = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)")
_PARTS_OF_A_HISTOGRAM: Final = ("_bucket", "_created")


def totals(text: str) -> dict[str, float]:
    """The value of each metric, summed over its labels; buckets of histograms and times of creation are left out.

    Args:
        text: what /metrics answers.

    Returns:
        Values by metric name.
    """
    sums: dict[str, float] = {}
    for line in text.splitlines():
        found = _SAMPLE.match(line)
        if found and not found[1].endswith(_PARTS_OF_A_HISTOGRAM):
            sums[found[1]] = sums.get(found[1], 0.0) + float(found[3])
    return sums
