"""A chart's marks in words, for readers who choose with a keyboard what others click."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Spec = Mapping[str, Any]


class Mark(NamedTuple):
    """One bar or point.

    Attributes:
        said: what its hover text says.
        point: the fields that a click on it reports.
    """

    said: str
    point: Mapping[str, Any]


def marks_of(spec: Spec, selection: str) -> list[Mark]:
    """The marks of a chart that take a click, each once, in the order of its data.

    Args:
        spec: the chart as Vega-Lite reads it.
        selection: the name of the click selection.
    """
    layers = spec.get("layer", [spec])
    params = (param for part in (spec, *layers) for param in part.get("params", ()))
    fields = next((param["select"]["fields"] for param in params if param["name"] == selection), ())
    found = (mark for layer in layers for mark in _of_layer(layer, spec, fields)) if fields else iter(())
    return list({tuple(mark.point.values()): mark for mark in found}.values())


def _of_layer(layer: Spec, spec: Spec, fields: list[str]) -> Iterator[Mark]:
    data = layer.get("data", spec.get("data", {}))
    hover = layer.get("encoding", {}).get("tooltip", ())
    for row in data.get("values", ()):
        if hover and all(field in row for field in fields):
            said = ", ".join(f"{one['title']} {row[one['field']]}" for one in hover if one["field"] in row)
            yield Mark(said, {field: row[field] for field in fields})
