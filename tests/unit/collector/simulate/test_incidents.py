from collections.abc import Callable
from functools import cache
from statistics import mean, median

from loopwatch_collector.simulate.facts import RunFacts, ToolCallFacts
from loopwatch_collector.simulate.incidents import KINDS, Incident
from loopwatch_collector.simulate.rhythm import DAY_NS, HOUR_NS
from loopwatch_collector.simulate.simulation import Simulation

DAYS = 14


@cache
def _played() -> tuple[Simulation, list[RunFacts]]:
    simulation = Simulation(20_410 * DAY_NS, DAYS, 7000)
    return simulation, list(simulation.facts())


def _incident(kind: str) -> Incident:
    return next(incident for incident in _played()[0].incidents if incident.kind == kind)


def _split(incident: Incident, of: Callable[[RunFacts], bool]) -> tuple[list[RunFacts], list[RunFacts]]:
    """The runs during an incident, and those of all other times."""
    runs = [run for run in _played()[1] if of(run)]
    during = [run for run in runs if incident.from_ns <= run.planned.start_ns < incident.to_ns]
    return during, [run for run in runs if not incident.from_ns <= run.planned.start_ns < incident.to_ns]


def _by(agent: str) -> Callable[[RunFacts], bool]:
    return lambda run: run.planned.agent.name == agent


def _calls(runs: list[RunFacts], tool: str = "") -> list[ToolCallFacts]:
    calls = [call for run in runs for iteration in run.iterations for call in iteration.tool_calls]
    return [call for call in calls if tool in {"", call.tool}]


def _escalated(runs: list[RunFacts]) -> float:
    return mean(run.outcome == "escalated" for run in runs)


def test_an_outage_fails_most_calls_of_its_tool() -> None:
    """During the outage nearly every call of the tool fails retryably; before and after few do."""
    outage = _incident("tool_outage")
    during, else_ = (_calls(runs, outage.tool) for runs in _split(outage, _by(outage.agent)))
    assert mean(call.outcome == "error" for call in during) > 0.75
    assert mean(call.outcome == "error" for call in else_) < 0.06
    assert all(call.is_retryable for call in during if call.outcome == "error")


def test_a_slow_tool_takes_several_times_as_long() -> None:
    """Only its time changes: successful calls take about six times as long."""
    slow = _incident("tool_slow")
    during, else_ = (
        [call.end_ns - call.start_ns for call in _calls(runs, slow.tool) if call.outcome == "success"]
        for runs in _split(slow, _by(slow.agent))
    )
    assert 4 < median(during) / median(else_) < 9


def test_a_cost_spike_is_one_customer_with_many_long_runs() -> None:
    """The customer has several times its usual runs an hour, and each is several times as long."""
    spike = _incident("cost_spike")
    during, else_ = _split(spike, lambda run: run.planned.customer_id == spike.customer and _by(spike.agent)(run))
    hours = (spike.to_ns - spike.from_ns) / HOUR_NS
    assert len(during) / hours > 20 * len(else_) / (DAYS * 24 - hours)
    assert mean(len(run.iterations) for run in during) > 2 * mean(len(run.iterations) for run in else_)


def test_a_release_reaches_every_run_and_changes_them() -> None:
    """Before it nobody runs the new version, six hours later everybody does, with more iterations and escalations."""
    release = _incident("release")
    runs = [run for run in _played()[1] if _by(release.agent)(run)]
    before = [run for run in runs if run.planned.start_ns < release.from_ns]
    after = [run for run in runs if run.planned.start_ns >= release.from_ns + 6 * HOUR_NS]
    between = {run.planned.version for run in runs if run not in before and run not in after}
    assert {run.planned.version for run in before} == {"7"}
    assert between == {"7", "8"}
    assert {run.planned.version for run in after} == {"8"}
    assert mean(len(run.iterations) for run in after) > 1.25 * mean(len(run.iterations) for run in before)
    assert _escalated(after) > 1.3 * _escalated(before)


def test_a_broken_cache_is_never_read() -> None:
    """Model calls of the agent read nothing from the cache while it lasts, and most of their input otherwise."""
    broken = _incident("cache_break")

    def share(runs: list[RunFacts]) -> float:
        calls = [iteration.model_call for run in runs for iteration in run.iterations]
        return sum(call.cache_read_tokens for call in calls) / sum(call.input_tokens for call in calls)

    during, else_ = _split(broken, _by(broken.agent))
    assert share(during) == 0
    assert share(else_) > 0.5


def test_an_overloaded_model_refuses_requests() -> None:
    """About 30 % of the model's calls fail while it lasts."""
    overload = _incident("model_overload")
    during, else_ = (
        [bool(iteration.model_call.error_type) for run in runs for iteration in run.iterations]
        for runs in _split(overload, lambda run: run.planned.model.name == overload.model)
    )
    assert 0.2 < mean(during) < 0.4
    assert mean(else_) < 0.01


def test_an_escalation_surge_hands_runs_over() -> None:
    """The agent gives up several times as often as usual."""
    during, else_ = _split(_incident("escalation_surge"), _by("support-triage"))
    assert _escalated(during) > 0.35
    assert _escalated(else_) < 0.15


def test_a_loop_wave_catches_runs_in_one_tool() -> None:
    """A third of the agent's runs call one tool with equal arguments again and again."""
    wave = _incident("loop_wave")
    during, else_ = _split(wave, _by(wave.agent))

    def caught(runs: list[RunFacts]) -> float:
        return mean(any(call.loop == "identical_calls" for call in _calls([run], wave.tool)) for run in runs)

    assert caught(during) > 0.15
    assert caught(else_) < 0.02


def test_silence_is_silent() -> None:
    """No run of the agent starts, at an hour at which others run."""
    during, else_ = _split(_incident("silence"), _by("invoice-extractor"))
    assert not during
    assert else_


def test_without_incidents_nothing_of_this_happens() -> None:
    """A quiet fleet has the same number of runs, and none that an incident concerns."""
    quiet = Simulation(20_410 * DAY_NS, 2, 300, incident_kinds=())
    runs = list(quiet.facts())
    assert len(runs) == 300
    assert not any(run.planned.incidents for run in runs)
    assert len(KINDS) == len(_played()[0].incidents)
