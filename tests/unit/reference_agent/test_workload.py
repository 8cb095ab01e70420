"""The mixed workload has something to show on every page."""

from loopwatch_reference.scenarios import SCENARIOS
from loopwatch_reference.workload import incidents


def test_the_same_seed_draws_the_same_incidents():
    """A workload is a function of its seed."""
    assert list(incidents(30, 7)) == list(incidents(30, 7))
    assert list(incidents(30, 7)) != list(incidents(30, 8))


def test_a_short_workload_shows_every_kind_of_incident():
    """Two dozen incidents hold every scenario, several customers, models, versions and environments."""
    drawn = list(incidents(24, 7))
    assert {one.scenario for one in drawn} == set(SCENARIOS)
    assert min(len({getattr(one, name) for one in drawn}) for name in ("customer_id", "model", "version")) >= 2
    assert {one.environment for one in drawn} == {"production", "staging"}


def test_some_conversations_have_several_runs():
    """A follow-up belongs to the conversation, the customer and the user of the incident it follows."""
    drawn = list(incidents(40, 3))
    first = {}
    for one in drawn:
        first.setdefault(one.conversation_id, one)
        earlier = first[one.conversation_id]
        assert (one.customer_id, one.user_id) == (earlier.customer_id, earlier.user_id)
    assert 10 < len(first) < 40
    assert len({one.alert for one in drawn}) == 40


def test_scenario_and_model_can_be_fixed():
    """A named scenario and model are used for every incident."""
    drawn = list(incidents(5, 1, "false-alarm", "claude-opus-5-5"))
    assert {(one.scenario, one.model) for one in drawn} == {("false-alarm", "claude-opus-5-5")}
