"""docs/queries.md, made from the heads of the .sql files: `python -m loopwatch_collector.queries.documentation`."""

import sys
from collections.abc import Iterator
from typing import Final

from loopwatch_collector.queries.catalogue import FILTERS, NamedQuery, Param, catalogue

_HEAD: Final = f"""# Named queries

Everything the pages, the alert rules and the command line show is the answer to a named query:
`GET /api/v1/queries/NAME?from=&to=&...`, as JSON, CSV, Arrow or Parquet (`format=`). `GET /api/v1/queries` lists them.

- A query is about the runs that **started** in `[from, to)`, and all of their spans, whenever those were sent
  (`spend_by` and its like, which go by the time of the call, say so).
- All take the filters {", ".join(f"`{name}`" for name in FILTERS)} (each may be repeated: any value matches) and `q`, a
  line of the [filter language](filter-language.md).
- Pages follow `next_cursor`; `limit` rows each. In CSV, Arrow and Parquet the header `loopwatch-next-cursor` says that
  there are more, and where. A cursor is a place in the order of the answer: rows that arrive meanwhile may move others
  over its edge, so page over a range that is past, or ask with one large `limit`. (`GET /api/v1/runs` goes on after the
  run it showed last, whatever arrives.) An answer is bounded in time and memory: what exceeds it is refused
  with a sentence that says so, never cut off silently.
- A span that was sent twice, or a model call that several libraries report, changes no number.
- `null` means that a question does not apply (no runs, no price), which is not 0.

This page is made from the queries themselves.
"""


def markdown() -> str:
    """Returns the page."""
    return "\n".join((_HEAD, *(line for query in catalogue().values() for line in _section(query))))


def _section(query: NamedQuery) -> Iterator[str]:
    yield from (f"## {query.name}", "", f"**{query.title}.** {query.description}", "")
    if query.params:
        yield from ("| parameter | type | default | |", "|---|---|---|---|")
        yield from (_row(param) for param in query.params)
        yield ""
    yield from ("| column | unit | |", "|---|---|---|")
    yield from (f"| `{column.name}` | {column.unit} | {_cell(column.description)} |" for column in query.columns)
    yield ""


def _row(param: Param) -> str:
    type_name = " ".join(f"`{value}`" for value in param.values) or param.type
    default = "required" if param.default is None else f"`{param.default}`" if param.default else "empty"
    return f"| `{param.name}` | {type_name} | {default} | {_cell(param.description)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(markdown())
