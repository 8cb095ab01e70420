"""Ways from a mark to the runs behind it."""

import pytest

from loopwatch_dashboards.links import of_group


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("user", 'o"neill', 'user = "o\\"neill"'),
        ("tag", "nightly", 'tag = "nightly"'),
        ("customer", "", 'customer = ""'),
        ("attributes.deployment.region", "eu-west", 'attributes.deployment.region = "eu-west"'),
        ("tool", "search", 'called("search")'),
        ("tool", "", ""),
        ("process_id", "p1", ""),
    ],
)
def test_a_rules_group_is_a_condition_where_the_filter_language_has_a_word_for_it(
    name: str, value: str, expected: str
) -> None:
    """Dimensions, tags, attributes of the sender's own and tools are; a sender's process is not."""
    assert of_group(name, value) == expected
