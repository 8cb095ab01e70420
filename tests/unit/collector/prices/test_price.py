"""What model calls cost, to the last digit: cases summed by hand, and the usage of recorded exchanges."""

import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwatch_collector.errors import CannotStart
from loopwatch_collector.prices.override import OwnPrices, read_own_prices
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.store.rows import SPAN_DEFAULTS, SPAN_INDEX

NOVEMBER_2026_NS = 1_793_491_200 * 10**9
PAGE = Path(__file__).parents[4] / "docs" / "prices.md"
OURS = Path(__file__).parents[3] / "data" / "anthropic_exchanges" / "exchanges.jsonl"
RECORDED = (
    Path(os.environ.get("LOOPWATCH_TEST_DATA", "/nonexistent")) / "anthropic_exchanges" / "anthropic_messages.jsonl"
)

# USD per million tokens: input, output, cache read, cache write 5m and 1h; as Anthropic published them, written down
# here a second time, so that the packaged list is checked and not only used.
LIST_PRICES = {
    "claude-3-5-haiku-20241022": ("0.80", "4", "0.08", "1", "1.60"),
    "claude-3-5-haiku-latest": ("0.80", "4", "0.08", "1", "1.60"),
    "claude-haiku-4-5-20251001": ("1", "5", "0.10", "1.25", "2"),
    "claude-3-5-sonnet-20240620": ("3", "15", "0.30", "3.75", "6"),
    "claude-3-5-sonnet-20241022": ("3", "15", "0.30", "3.75", "6"),
    "claude-3-7-sonnet-20250219": ("3", "15", "0.30", "3.75", "6"),
    "claude-sonnet-4-20250514": ("3", "15", "0.30", "3.75", "6"),
    "claude-sonnet-4-5-20250929": ("3", "15", "0.30", "3.75", "6"),
    "claude-sonnet-4-6": ("3", "15", "0.30", "3.75", "6"),
    "claude-opus-5-5": ("4", "20", "0.20", "5", "8"),
    "claude-sonnet-5-5": ("2", "10", "0.10", "2.50", "4"),
    "claude-haiku-5-5": ("0.10", "0.50", "0.01", "0.125", "0.20"),
    "claude-3-opus-20240229": ("15", "75", "1.50", "18.75", "30"),
    "claude-3-haiku-20240307": ("0.25", "1.25", "0.03", "0.30", "0.50"),
    "claude-2.1": ("8", "24", "0", "0", "0"),
}


def _row(**values: Any) -> list[Any]:
    row = list(SPAN_DEFAULTS)
    row[SPAN_INDEX["kind"]] = "model_call"
    row[SPAN_INDEX["provider"]] = "anthropic"
    row[SPAN_INDEX["start_time"]] = NOVEMBER_2026_NS
    for name, value in values.items():
        row[SPAN_INDEX[name]] = value
    return row


def _priced(pricer: Pricer | None = None, **values: Any) -> dict[str, Any]:
    row = _row(**values)
    (pricer or Pricer()).price(row)
    return {
        name: row[SPAN_INDEX[name]] for name in SPAN_INDEX if name.endswith("cost_usd") or name.startswith("price_")
    }


@pytest.mark.parametrize(
    ("call", "cost"),
    [
        # 12 x 4 + 1024 x 0.20 + 2000 x 5 + 48 x 8 + 30 x 20 = 48 + 204.8 + 10000 + 384 + 600 per million
        ({"model": "claude-opus-5-5", "input_tokens": 3084, "cache_read_tokens": 1024, "cache_write_5m_tokens": 2000,
          "cache_write_1h_tokens": 48, "output_tokens": 30}, "0.0112368"),
        # 100,000 input tokens are in the lower tier still: 100000 x 0.10 + 10 x 0.50
        ({"model": "claude-haiku-5-5", "input_tokens": 100_000, "output_tokens": 10}, "0.010005"),
        # one more, cached ones included, and the whole call costs the upper tier: 1 x 0.50 + 100000 x 0.05 + 10 x 2.50
        ({"model": "claude-haiku-5-5", "input_tokens": 100_001, "cache_read_tokens": 100_000, "output_tokens": 10},
         "0.0050255"),
        # a batch costs half: 1000 x 2 + 100 x 10
        ({"model": "claude-opus-5-5", "service_tier": "batch", "input_tokens": 1000, "output_tokens": 100}, "0.003"),
        # fast costs twice: 1000 x 8 + 100 x 40
        ({"model": "claude-opus-5-5", "service_tier": "fast", "input_tokens": 1000, "output_tokens": 100}, "0.012"),
        # the standard tier is no variant
        ({"model": "claude-opus-5-5", "service_tier": "standard", "input_tokens": 1000, "output_tokens": 100}, "0.006"),
        # three web searches at 10 USD a thousand
        ({"model": "claude-opus-5-5", "input_tokens": 1, "web_search_requests": 3}, "0.030004"),
        # gpt-4o: 700 x 2.50 + 300 x 1.25 + 50 x 10
        ({"model": "gpt-4o", "provider": "openai", "input_tokens": 1000, "cache_read_tokens": 300,
          "output_tokens": 50}, "0.002625"),
        # a price changed on a day: claude-sonnet-4-6 cost more above 200,000 tokens before 2026-03-13
        ({"model": "claude-sonnet-4-6", "input_tokens": 300_000, "start_time": 1_773_446_400 * 10**9}, "0.9"),
        # a call that failed before it was charged
        ({"model": "claude-opus-5-5", "status": "error"}, "0"),
    ],
)  # fmt: skip
def test_hand_summed_calls_cost_what_they_should(call: dict[str, Any], cost: str) -> None:
    """Cache reads and writes, long-context tiers, batch, fast and web searches come out to the last digit."""
    assert _priced(**call)["cost_usd"] == Decimal(cost)


def test_a_model_without_a_price_is_unpriced_and_never_free() -> None:
    """An unknown model has no cost, neither has a known model at a provider that does not offer it, nor no model."""
    for call in ({"model": "home-made"}, {"model": "llama-in-house", "provider": "openai"}, {"model": ""}):
        priced = _priced(**call, input_tokens=1000)
        assert priced["cost_usd"] is None
        assert priced["price_source"] == ""


def test_a_call_whose_usage_was_not_recorded_has_no_cost() -> None:
    """A call that did not fail and tells no tokens (an imported conversation) is not one that cost nothing."""
    priced = _priced(model="claude-opus-5-5")
    assert priced["cost_usd"] is None
    assert priced["price_source"] == ""


def test_absurd_token_counts_are_capped_and_stay_positive() -> None:
    """A sender that claims 10^15 tokens gets the largest amount the column holds, not an overflow."""
    assert _priced(model="claude-opus-5-5", input_tokens=10**15)["cost_usd"] == Decimal("999999.999999999999")


def test_the_source_and_its_version_stand_on_each_row() -> None:
    """A row tells which list its price is from."""
    from genai_prices import __version__

    priced = _priced(model="claude-opus-5-5", input_tokens=1)
    assert (priced["price_source"], priced["price_version"]) == ("genai-prices", __version__)


@given(
    st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6)
)
def test_the_parts_add_up_to_the_whole(fresh: int, read: int, write_5m: int, write_1h: int, output: int) -> None:
    """Input, cache and output cost add up to the cost exactly, whatever the counts."""
    priced = _priced(
        model="claude-haiku-5-5",
        input_tokens=fresh + read + write_5m + write_1h,
        cache_read_tokens=read,
        cache_write_5m_tokens=write_5m,
        cache_write_1h_tokens=write_1h,
        output_tokens=output,
    )
    parts = ("input_cost_usd", "cache_read_cost_usd", "cache_write_cost_usd", "output_cost_usd")
    assert sum(priced[part] for part in parts) == priced["cost_usd"]


@pytest.mark.parametrize("path", [OURS, RECORDED], ids=["ours", "recorded"])
def test_recorded_usage_costs_what_the_list_says(path: Path) -> None:
    """The usage of every recorded exchange, summed with prices written down in this test, is what the pricer says."""
    if not path.exists():
        pytest.skip("LOOPWATCH_TEST_DATA names no folder with the recorded exchanges; ours are always tested")
    pricer = Pricer()
    total, expected, calls = Decimal(0), Decimal(0), 0
    for model, usage in _usages(path):
        priced = _priced(pricer, **_columns(usage), model=model)
        assert priced["cost_usd"] is not None, model
        total += priced["cost_usd"]
        expected += _by_hand(model, usage)
        calls += 1
    assert total == expected
    assert calls == (264 if path == RECORDED else 11)


def test_the_operators_prices_win(tmp_path: Path) -> None:
    """Own models get a price, negotiated ones replace the list's; patterns, days and tiers are minded."""
    file = tmp_path / "prices.toml"
    file.write_text(
        """
        [[price]]
        model = "northwind-*"
        input = 1.5
        output = 6
        [[price.tier]]
        above_input_tokens = 1000
        input = 3.0
        [[price]]
        model = "claude-opus-5-5"
        provider = "anthropic"
        to = 2026-12-01
        input = 3.2
        output = 16
        cache_read = 0.16
        """
    )
    pricer = Pricer(own=read_own_prices(file))
    assert _priced(pricer, model="northwind-2", input_tokens=1000, output_tokens=10)["cost_usd"] == Decimal("0.00156")
    assert _priced(pricer, model="northwind-2", input_tokens=1001)["cost_usd"] == Decimal("0.003003")
    own = _priced(pricer, model="claude-opus-5-5", input_tokens=1000, cache_read_tokens=500)
    assert own["cost_usd"] == Decimal("0.00168")
    assert own["price_source"] == "operator"
    january = 1_798_761_600 * 10**9
    assert _priced(pricer, model="claude-opus-5-5", input_tokens=1000, start_time=january)["cost_usd"] == Decimal(
        "0.004"
    )


def test_the_senders_own_figure_is_kept_beside_ours_or_preferred() -> None:
    """By default our price counts and theirs stands beside it; preferred, theirs counts, split as ours would be."""
    call = {
        "model": "claude-opus-5-5",
        "input_tokens": 1000,
        "output_tokens": 100,
        "reported_cost_usd": Decimal("0.012"),
    }
    beside = _priced(**call)
    assert (beside["cost_usd"], beside["reported_cost_usd"]) == (Decimal("0.006"), Decimal("0.012"))
    preferred = _priced(Pricer(own=OwnPrices(prefer_reported=True)), **call)
    assert preferred["cost_usd"] == Decimal("0.012")
    assert (preferred["input_cost_usd"], preferred["output_cost_usd"]) == (Decimal("0.008"), Decimal("0.004"))
    assert preferred["price_source"] == "reported"
    unknown = {**call, "model": "home-made"}
    assert _priced(**unknown)["cost_usd"] is None
    assert _priced(Pricer(own=OwnPrices(prefer_reported=True)), **unknown)["cost_usd"] == Decimal("0.012")


def test_the_parts_of_a_reported_cost_add_up_to_it() -> None:
    """What scaling rounds off is in the largest part."""
    call = {"provider": "anthropic", "model": "claude-opus-5-5", "input_tokens": 1007, "output_tokens": 103}
    priced = _priced(Pricer(own=OwnPrices(prefer_reported=True)), **call, reported_cost_usd=Decimal("0.010000000001"))
    parts = ("input_cost_usd", "output_cost_usd", "cache_read_cost_usd", "cache_write_cost_usd")
    assert sum(priced[part] for part in parts) == priced["cost_usd"] == Decimal("0.010000000001")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[[price]]\ninput = 1\noutput = 2", "price 1 needs a model"),
        ("[[price]]\nmodel = 'x'\ninput = 1", "price 1 needs input and output"),
        ("[[price]]\nmodel = 'x'\ninput = -1\noutput = 1", "input of price 1 must be an amount"),
        ("[[price]]\nmodel = 'x'\ninput = 1\noutput = 1\ncached = 1", "has 'cached', which means nothing here"),
        ("[[price]]\nmodel = 'x'\ninput = 1\noutput = 1\nfrom = 'May'", "from of price 1 must be a day"),
        ("[[price]]\nmodel = 'x'\ninput = 1\noutput = 1\ncache_raed = 1", "line 5: .*did you mean cache_read"),
        ("[[price]]\nmodel = 'x'\ninput = nan\noutput = inf", "line 3: input of price 1.*; line 4: output of price 1"),
        ("[[price]]\nmodel = 'x'\ninput = true\noutput = '5'", "not true; line 4: output of price 1 .*not '5'"),
        ("[[price]]\nmodel = 5\ninput = 1\noutput = 1", "line 2: model of price 1 must be a text"),
        (
            "[[price]]\nmodel = 'x'\ninput = 1\noutput = 1\nfrom = 2026-07-01\nto = 2026-01-01",
            r"line 6: price 1 never holds: to \(2026-01-01\) must lie after from \(2026-07-01\)",
        ),
        ("price = 5", r"line 1: price must be a list of tables: write \[\[price\]\]"),
        ("price = [5]", r"write \[\[price\]\]"),
        ("[[price]]\nmodel = 'x'\ninput = 1\noutput = 1\ntier = 3", r"line 5: tier must be .*\[\[price.tier\]\]"),
        (
            "[[price]]\nmodel = 'x'\ninput = 1\noutput = 1\n[price.tier]\nabove_input_tokens = 5",
            r"line 5: tier must be .*\[\[price.tier\]\]",
        ),
        (
            "[[price]]\nmodel = 'x'\ninput = 1\noutput = 1\n[[price.tier]]\nabove_input_tokens = 'a'\n"
            "[[price.tier]]\nabove_input_tokens = 5\n[[price.tier]]\nabove_input_tokens = 5",
            "line 6: tier 1 of price 1 needs above_input_tokens, a whole number.*; line 10: tier 3 .*as another is",
        ),
        (
            "[[price]]\ninput = 1\noutput = 2\n[[price]]\nmodel = 'x'",
            "line 1: price 1 needs a model.*; line 4: price 2",
        ),
        ("prefer_reported = 'yes'", "must be true or false"),
        ("[[price]", "cannot be read"),
    ],
)
def test_a_wrong_price_file_is_refused_with_the_entry_named(tmp_path: Path, text: str, fault: str) -> None:
    """A collector with a price file it cannot read does not start, and says all that is wrong, with lines."""
    file = tmp_path / "prices.toml"
    file.write_text(text)
    with pytest.raises(CannotStart, match=fault):
        read_own_prices(file)


def test_the_example_of_the_documentation_is_a_price_file_that_costs_what_it_says(tmp_path: Path) -> None:
    """The file of docs/prices.md is read without a fault, and its table of costs is what the pricer says."""
    page = PAGE.read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "prices.toml"
    file.write_text(example)
    pricer = Pricer(own=read_own_prices(file))
    rows = [
        [cell.strip(" `") for cell in line[1:-1].split("|")] for line in page.splitlines() if line.startswith("| `")
    ]
    assert len(rows) >= 5
    for model, tier, day, asked, answered, cost in rows:
        noon_ns = int(datetime.fromisoformat(f"{day}T12:00:00Z").timestamp()) * 10**9
        priced = _priced(
            pricer,
            model=model,
            service_tier=tier,
            start_time=noon_ns,
            input_tokens=int(asked.replace(",", "")),
            output_tokens=int(answered.replace(",", "")),
        )
        said = "none" if priced["cost_usd"] is None else f"${priced['cost_usd'].normalize():f}"
        assert said == cost, model


def _usages(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        exchange = json.loads(line)
        if exchange["status"] == 200:
            yield _from_stream(exchange["sse"]) if exchange.get("sse") else _from_reply(exchange["response"])


def _from_reply(reply: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return reply["model"], reply["usage"]


def _from_stream(stream: str) -> tuple[str, dict[str, Any]]:
    events = [json.loads(line[5:]) for line in stream.splitlines() if line.startswith("data:")]
    start = next(event["message"] for event in events if event["type"] == "message_start")
    last = [event["usage"] for event in events if event["type"] == "message_delta"][-1]
    # the counts of message_delta are cumulative: they replace those of the start
    return start["model"], {**start["usage"], **{name: count for name, count in last.items() if count is not None}}


def _columns(usage: dict[str, Any]) -> dict[str, int]:
    read = usage.get("cache_read_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    hour = (usage.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0
    return {
        "input_tokens": usage["input_tokens"] + read + written,
        "cache_read_tokens": read,
        "cache_write_5m_tokens": written - hour,
        "cache_write_1h_tokens": hour,
        "output_tokens": usage["output_tokens"],
    }


def _by_hand(model: str, usage: dict[str, Any]) -> Decimal:
    fresh, output, read, write_5m, write_1h = map(Decimal, LIST_PRICES[model])
    counts = _columns(usage)
    return (
        usage["input_tokens"] * fresh
        + counts["output_tokens"] * output
        + counts["cache_read_tokens"] * read
        + counts["cache_write_5m_tokens"] * write_5m
        + counts["cache_write_1h_tokens"] * write_1h
    ) / 1_000_000
