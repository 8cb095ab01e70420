"""The filter language: what it accepts, what it says to what it does not, and that nothing escapes it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwatch_collector.queries.filter.compile import Filter, compile_filter
from loopwatch_collector.queries.filter.errors import InvalidFilter
from loopwatch_collector.queries.filter.fields import EVENTS, FIELDS
from loopwatch_collector.queries.filter.phrases import sought

# Everything a compiled filter may consist of beside names of the closed tables and places for bound values.
SAMPLES = {"text": "x", "texts": "x", "number": "5", "duration": "5s", "money": "0.1", "time": "2026-10-01"}
PLACE = re.compile(r"\{filter_\d+:(String|Int64|Float64|Array\(String\))\}")


def test_comparisons_bind_their_values() -> None:
    """A value never stands in the SQL; it is a parameter of the type its field has."""
    compiled = compile_filter('agent = "x\' OR 1=1" and iterations > 12 and cost >= $0.5 and duration < 1.5m')
    assert compiled.sql == (
        "((agent = {filter_0:String}) AND (iterations > {filter_1:Float64}) AND "
        "(toFloat64(cost_usd) >= {filter_2:Float64}) AND (duration_ns < {filter_3:Float64}))"
    )
    assert dict(compiled.parameters) == {"filter_0": "x' OR 1=1", "filter_1": 12, "filter_2": 0.5, "filter_3": 9e10}


def test_and_binds_closer_than_or_and_may_be_left_out() -> None:
    """`a b or c` is (a and b) or c, and `not` belongs to the next condition."""
    compiled = compile_filter("agent=a not agent=b or agent=c")
    assert compiled.sql == (
        "(((agent = {filter_0:String}) AND NOT ifNull((agent = {filter_1:String}), 0)) OR (agent = {filter_2:String}))"
    )


def test_in_is_any_of_its_values_and_negation_none() -> None:
    """`in` makes alternatives; `!=` and `!~` are negations."""
    assert compile_filter("outcome in (failed, stopped)").sql == (
        "(outcome = {filter_0:String} OR outcome = {filter_1:String})"
    )
    assert compile_filter("error !~ timeout").sql == (
        "NOT (positionCaseInsensitiveUTF8(error_message, {filter_0:String}) > 0)"
    )


def test_an_empty_filter_holds_for_every_run() -> None:
    """No text, no condition."""
    assert compile_filter("  ").sql == "1"


@pytest.mark.parametrize(
    ("text", "position", "suggestion", "fault"),
    [
        ("agnt = x", 0, "agent", "there is no field 'agnt'"),
        ("agent = x and itterations > 3", 14, "iterations", "there is no field"),
        ("escaleted()", 0, "escalated", "there is no event"),
        ("called(a) then fialed(a)", 15, "failed", "there is no event"),
        ("agent > x", 6, "", "one of =, !=, ~, !~, in is wanted"),
        ("iterations ~ 3", 11, "", "one of =, !=, <"),
        ("iterations > many", 13, "", "a number such as 12 or 5k"),
        ("duration > 5 parsecs", 11, "", "a duration such as"),
        ("started > yesterday", 10, "", "a time such as"),
        ('error ~ "open', 8, "", "quotation mark is not closed"),
        ("(agent = x", 10, "", "')' is missing"),
        ("agent = x)", 9, "", "is not expected here"),
        ("agent =", 7, "", "a value for agent is missing"),
        ("agent", 5, "", "one of ="),
        ("not", 3, "", "ends too early"),
        ('"..."', 0, "", "needs a letter or a digit"),
        ("escalated(now)", 10, "", "takes nothing"),
        ("agent = x or", 12, "", "ends too early"),
    ],
)
def test_faults_say_where_and_what_was_meant(text: str, position: int, suggestion: str, fault: str) -> None:
    """An error names the place in the text and, where a name is near a known one, that one."""
    with pytest.raises(InvalidFilter, match=re.escape(fault)) as caught:
        compile_filter(text)
    assert (caught.value.position, caught.value.suggestion) == (position, suggestion)


def test_only_a_phrase_looks_through_what_came_in_logs_and_only_if_told_to() -> None:
    """A filter says whether it does, so that one that does can be compiled without it where nothing came in logs."""
    searching = compile_filter('agent=a "connection pool"')
    assert searching.searches_logs
    assert "FROM log_events" in searching.sql
    without = compile_filter('agent=a "connection pool"', with_logs=False)
    assert not without.searches_logs
    assert "log_events" not in without.sql
    assert without.parameters == searching.parameters
    assert not compile_filter("agent=a and failed(search)").searches_logs


def test_depth_and_length_are_bounded() -> None:
    """A filter cannot exhaust the stack or the engine's parser."""
    for text in ("(" * 500 + "agent=x" + ")" * 500, "not " * 500 + "agent=x", "agent=x " * 200, '"' + "x" * 3000 + '"'):
        with pytest.raises(InvalidFilter):
            compile_filter(text)


HOSTILE = ["'", '"', "\\", "--", "/*", ";", "{x:String}", "{{filter}}", "`", "1 OR 1=1", "0x", "%", "\0", "5m"]
OPERATORS = ["and", "or", "not", "then", "in", "(", ")", ",", "=", "!=", "~", "!~", "<", "<=", ">", ">=", "()"]
PIECES = st.one_of(
    st.sampled_from([*FIELDS, *EVENTS, "attributes.team", "attributes.';--x"]),
    st.sampled_from(OPERATORS),
    st.sampled_from(HOSTILE),
    st.text(max_size=8),
    st.text(max_size=8).map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'),
    st.integers().map(str),
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=25).map(" ".join), st.text(max_size=120)))
def test_whatever_is_typed_is_refused_with_a_place_or_compiled_to_known_words(text: str) -> None:
    """A mixture of the language's pieces and hostile texts leaves only the compiler's own words in the SQL."""
    compiled, position = _compiled(text)
    assert 0 <= position <= len(text)
    assert _words(compiled.sql) <= KNOWN_WORDS
    assert set(compiled.parameters) == {f"filter_{number}" for number in range(len(compiled.parameters))}


def _compiled(text: str) -> tuple[Filter, int]:
    try:
        return compile_filter(text), 0
    except InvalidFilter as refused:
        return Filter(), refused.position


def _words(sql: str) -> set[str]:
    return set(re.findall(r"\w+", PLACE.sub("", sql)))


# What the compiler writes for every field, operator and event: nothing else may ever occur.
KNOWN_WORDS = {
    word
    for text in (
        *(
            f"{field.name} {operator} {next(iter(field.values), SAMPLES[field.type])}"
            for field in FIELDS.values()
            for operator in field.operators
        ),
        *(f"{event.name}({'x' if event.of else ''})" for event in EVENTS.values()),
        " then ".join(["called()"] * 8),
        'not agent=x or "word" and agent=x or "wörd"',
        'tag = "" and attributes.team = "" and attributes.team ~ x',
    )
    for word in _words(compile_filter(text).sql)
}


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([one.name for one in FIELDS.values() if one.is_text and not one.values]),
    st.sampled_from(["=", "!=", "~", "!~"]),
    st.text(max_size=40),
)
def test_a_text_value_leaves_only_known_words_in_the_sql(field: str, operator: str, value: str) -> None:
    """Take the bound places away and nothing of the value is left: only words of the closed table."""
    quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    compiled = compile_filter(f"{field} {operator} {quoted}")
    assert _words(compiled.sql) <= KNOWN_WORDS
    assert list(compiled.parameters.values()) == [value]


@pytest.mark.parametrize(
    ("text", "position", "suggestion"),
    [
        ("outcome = complete", 10, "completed"),
        ("outcome in (open, Failed)", 18, "failed"),
        ("outcome != lost", 11, ""),
    ],
)
def test_a_value_that_a_field_never_has_is_refused(text: str, position: int, suggestion: str) -> None:
    """Where the choice is closed, a value outside it is refused, and the near one named."""
    with pytest.raises(InvalidFilter, match="outcome is one of completed, escalated") as refused:
        compile_filter(text)
    assert (refused.value.position, refused.value.suggestion) == (position, suggestion)
    assert compile_filter("outcome ~ complet").parameters == {"filter_0": "complet"}


def test_the_quick_matcher_is_given_what_it_reads_as_the_pattern_does() -> None:
    """A phrase of ASCII is sought by its middle first; one beyond ASCII, or a very long one, by its longest word."""
    assert sought("connection pool").middle == r"(?is)connection(?:\s|\\+[nrt])+pool"
    assert sought("Größe of pool").middle == ""
    assert sought("word " * 60).middle == ""
    assert sought("Größe of pool").rarest == "pool"
