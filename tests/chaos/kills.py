"""SIGKILL at random moments: the collector, the sender, or both, start-up and recovery included."""

import random
import time
from pathlib import Path

from tests.chaos import census
from tests.chaos.census import Census
from tests.chaos.processes import Trial, trial

LONGEST_LIFE_S = 1.6
# A collector needs about a second and a half to listen: so many of its lives end before that.
EARLY_DEATHS = 0.2


def run(folder: Path, seed: int, kills: int, min_spans: int = 0, pause_s: float = 0.0) -> Census:
    """Kills at random moments under load, then counts.

    Args:
        folder: an empty directory.
        seed: decides moments and victims.
        kills: how many processes are killed, at least.
        min_spans: the killing goes on until so many are acknowledged.
        pause_s: paces the load, for a trial on a machine that does other things too.
    """
    chance = random.Random(seed)
    with trial(folder, seed, pause_s=pause_s) as under_way:
        killed = 0
        while killed < kills or _acknowledged_spans(under_way) < min_spans:
            killed += _kill_one_or_both(under_way, chance)
        under_way.finish()
    return census.take(under_way.plan, under_way.collector.dsn)


def _acknowledged_spans(under_way: Trial) -> int:
    return sum(under_way.plan.load.spans_in(batch) for batch in under_way.plan.acknowledged())


def _kill_one_or_both(under_way: Trial, chance: random.Random) -> int:
    if chance.random() >= EARLY_DEATHS:
        under_way.collector.await_ready()
    time.sleep(chance.uniform(0.0, LONGEST_LIFE_S))  # the random moment itself, not a wait for something
    victims = chance.choice(
        ([under_way.collector], [under_way.collector], [under_way.sender], [under_way.collector, under_way.sender])
    )
    for victim in victims:
        victim.kill()
    for victim in victims:
        victim.start()
    return len(victims)
