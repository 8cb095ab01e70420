"""The pages on queries and the filter language say what the program does."""

import re
from pathlib import Path

from loopwatch_collector.queries.catalogue import UNITS, catalogue
from loopwatch_collector.queries.documentation import markdown
from loopwatch_collector.queries.filter.compile import compile_filter
from loopwatch_collector.queries.filter.fields import ANY_ATTRIBUTE, EVENTS, FIELDS

DOCS = Path(__file__).parents[4] / "docs"


def test_the_page_on_queries_is_made_from_the_queries() -> None:
    """docs/queries.md is current; `python -m loopwatch_collector.queries.documentation > docs/queries.md` makes it."""
    assert (DOCS / "queries.md").read_text(encoding="utf-8") == markdown()


def test_the_page_on_filters_names_every_field_and_event() -> None:
    """Each field and event has a row, and every example of the page compiles."""
    page = (DOCS / "filter-language.md").read_text(encoding="utf-8")
    for field in (*FIELDS.values(), ANY_ATTRIBUTE):
        assert f"| `{field.name}` | {field.type} | {field.description} |" in page
    for event in EVENTS.values():
        assert f"| `{event.name}({event.of})` | {event.description} |" in page
    examples = re.findall(r"^```\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[0].splitlines()
    assert all(compile_filter(example).parameters or "escalated" in example for example in examples)


def test_every_query_describes_itself() -> None:
    """Each query has a title, a description, columns with known units, and described parameters."""
    for query in catalogue().values():
        assert query.title, query.name
        assert query.description.endswith("."), query.name
        assert query.columns, query.name
        assert all(column.unit in UNITS and column.description for column in query.columns), query.name
        assert all(param.description for param in query.params), query.name
