"""Rules as TOML: what is accepted, and every fault with its line."""

import pytest

from loopwatch_collector.alerts.errors import InvalidRule
from loopwatch_collector.alerts.rule import Baseline, Forecast, Rate, Threshold
from loopwatch_collector.alerts.rule_parsing import parse_rule, parse_rules
from loopwatch_collector.alerts.rulebook import delivered_rules

GOOD = """\
[[rule]]
name = "customer-hour"
title = "Dear customer"
query = "spend_by"
group_by = "customer"
value = "cost_usd"
window = "1h"
filters = { environment = "production", model = ["a", "b"] }
for = "2m"
labels = { team = "agents" }
notify = ["ops"]
condition = { kind = "threshold", above = 50, clear = 40.5 }
"""


def faults(text, environment=None):
    channels = "" if "[channels" in text else '\n[channels.ops]\napprise = "json://example.com"\n'
    return [(fault.line, fault.message) for fault in parse_rules(text + channels, "file", environment).faults]


def changed(old, new, text=GOOD):
    assert old in text
    return text.replace(old, new)


def test_a_rule_is_read_whole():
    """Every key lands in its field, durations in seconds, and the group in the query's dimension."""
    rule = parse_rule(GOOD, "stored")
    assert (rule.name, rule.title, rule.window_s, rule.for_s, rule.unit) == (
        "customer-hour",
        "Dear customer",
        3_600,
        120,
        "usd",
    )
    assert rule.condition == Threshold(50.0, None, 40.5)
    assert (rule.params, rule.group_by, rule.group_column) == ({"dimension": "customer"}, "customer", "key")
    assert rule.filters == {"environment": ("production",), "model": ("a", "b")}
    assert (rule.labels, rule.notify, rule.source) == ({"team": "agents"}, ("ops",), "stored")
    assert rule.toml == GOOD


def test_a_rule_can_be_grouped_by_an_attribute_of_the_senders_own():
    """`attributes.NAME` is the query's dimension for attributes, with the name; tags are a dimension like others."""
    for query, value in (("spend_by", "cost_usd"), ("outcomes_by", "runs"), ("tool_reliability", "calls")):
        text = changed('"spend_by"', f'"{query}"', changed('"cost_usd"', f'"{value}"'))
        rule = parse_rule(changed('"customer"', '"attributes.deployment.region"', text), "stored")
        assert rule.params == {"dimension": "attribute", "attribute": "deployment.region"}
        assert (rule.group_by, rule.group_column) == ("attributes.deployment.region", "key")
        assert parse_rule(changed('"customer"', '"tag"', text), "stored").params == {"dimension": "tag"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('{ kind = "threshold", below = 3 }', Threshold(None, 3.0, 3.0)),
        ('{ kind = "baseline", floor = 1 }', Baseline(2.0, 1.0, 4.0, 28, 3)),
        ('{ kind = "rate", of = ["runs"], above = 0.2 }', Rate(("runs",), 0.2, 0.2, 20, 0.95)),
    ],
)
def test_conditions_have_defaults(condition, expected):
    """What is not said has a stated default."""
    text = changed('{ kind = "threshold", above = 50, clear = 40.5 }', condition)
    assert parse_rule(text, "stored").condition == expected


def test_a_condition_may_be_a_table_of_its_own():
    """[rule.condition] says the same as an inline table; its faults have its lines."""
    head = GOOD[: GOOD.index("condition =")]
    text = head + '[rule.condition]\nkind = "threshold"\nabove = 50\n'
    assert parse_rule(text, "stored").condition == Threshold(50.0, None, 50.0)
    assert faults(head + '[rule.condition]\nkind = "theshold"\n')[0][0] == 12


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('name = "customer-hour"', 'name = "Customer Hour"', 2, "lower-case letters, digits and hyphens"),
        ('title = "Dear customer"\n', "", 1, "a rule needs 'title'"),
        ('title = "Dear', 'titel = "Dear', 3, "a rule has no 'titel'; did you mean 'title'?"),
        ('query = "spend_by"', 'query = "spendby"', 4, "there is no query 'spendby'; did you mean 'spend_by'?"),
        (
            'group_by = "customer"',
            'group_by = "custmer"',
            5,
            "cannot be grouped by 'custmer'; did you mean 'customer'?",
        ),
        ('group_by = "customer"\n', "", 4, "answers many rows: say group_by = one of model, provider, agent"),
        ('"spend_by"', '"spend_top_runs"', 5, "cannot be grouped by 'customer'; did you mean 'customer_id'?"),
        (
            'query = "spend_by"\ngroup_by = "customer"',
            'query = "concentration"\ngroup_by = "agent"',
            5,
            "be grouped by 'agent'",
        ),
        ('"customer"', '"attribute"', 5, "cannot be grouped by 'attribute'; did you mean 'attributes.NAME'?"),
        ('"customer"', '"all"', 5, "cannot be grouped by 'all'; there are agent, attributes.NAME, conversation"),
        ('"customer"', '"attributes."', 5, "cannot be grouped by 'attributes.'"),
        ('"customer"', '"attributes.a b"', 5, "cannot be grouped by 'attributes.a b'"),
        ('"customer"', '"attributes.user.id"', 5, "no attribute of a sender's own: say group_by = 'user'"),
        ('value = "cost_usd"', 'value = "cost"', 6, "has no number 'cost'; it has"),
        ('window = "1h"', 'window = "1 hour"', 7, "'1 hour' is not a duration"),
        ('window = "1h"', "window = 3600", 7, "must be a duration in quotes"),
        ('window = "1h"\n', "", 11, "a rule needs 'window'"),
        ("environment =", "enviroment =", 8, "there is no filter 'enviroment'"),
        ('notify = ["ops"]', 'notify = "ops"', 11, "must be a list of texts"),
        ('notify = ["ops"]', "notify = []", 11, "leave it out to tell every channel"),
        ("above = 50", 'above = "50"', 12, "above must be a number"),
        ("clear = 40.5", "clear = 60", 12, "clear must lie on the quiet side"),
        ("clear = 40.5", "claer = 40.5", 12, "a threshold has no 'claer'"),
        ('kind = "threshold"', 'kind = "magic"', 12, "kind must be one of threshold, baseline"),
        ("above = 50", "above = nan", 12, "above must be a finite number"),
        ("above = 50, clear = 40.5", "above = inf", 12, "above must be a finite number"),
        ('"threshold", above = 50, clear = 40.5', '"absence", min_days = 0', 12, "min_days lie between 1 and 28"),
        ('"threshold", above = 50, clear = 40.5', '"absence", seen_within = "0s"', 12, "seen_within must be at least"),
        ('"threshold", above = 50, clear = 40.5', '"baseline", floor = 1, min_sample = 0', 12, "min_sample must be at"),
        ('query = "spend_by"', 'query = "cost_over_time"', 4, "cuts the window into pieces of time"),
        ('query = "spend_by"', 'query = "versions_compared"\nparams = {version_a = "1"}', 5, "'version_b' is missing"),
        ('query = "spend_by"', 'query = "spend_top_runs"\nparams = {least_usd = "x"}', 5, "must be a number, not 'x'"),
    ],
)
def test_a_fault_has_its_line(old, new, line, words):
    """Each mistake is reported where it stands, with what would be right."""
    found = faults(changed(old, new))
    assert any(at == line and words in message for at, message in found), found


def test_all_faults_are_told_at_once_and_good_rules_kept():
    """A file with a bad rule between good ones keeps the good ones and lists every fault of the bad one."""
    bad = '[[rule]]\nname = "b"\ntitle = 3\nquery = "nothing"\n'
    result = parse_rules(f"{GOOD}\n{bad}\n{changed('customer-hour', 'other')}", "stored")
    assert [rule.name for rule in result.rules] == ["customer-hour", "other"]
    assert [fault.line for fault in result.faults] == [14, 14, 16, 17]


def test_the_same_name_twice_is_a_fault():
    """The second rule of a name is refused, pointing at the first."""
    assert faults(f"{GOOD}\n{GOOD}") == [(15, "the name 'customer-hour' is taken by the rule on line 2")]


def test_broken_toml_has_its_line():
    """What is not TOML at all is reported with the line it breaks on."""
    (line, message), *_ = faults('[[rule]]\nname = "a"\ntitle = \n')
    assert line == 3
    assert message.startswith("not TOML")


def test_lines_survive_texts_over_several_lines():
    """A description in triple quotes that looks like TOML does not shift or fool the lines."""
    text = changed('title = "Dear customer"', 'description = """\n[[rule]]\nname = "x"\n"""\ntitle = "Dear"')
    assert faults(text) == []
    assert faults(changed('value = "cost_usd"', 'value = "nix"', text))[0][0] == 10


CHANNELS = '[channels.ops]\napprise = "${OPS_URL}"\n\n[channels.hook]\nwebhook = "https://a.example/x"\nsecret = "s"\n'


def test_channels_take_secrets_from_the_environment():
    """${NAME} is filled in; neither address nor secret is in a channel's repr."""
    channels = parse_rules(CHANNELS, "file", {"OPS_URL": "mailto://me:pw@example.com"}).channels
    assert [(one.name, one.kind, one.url) for one in channels] == [
        ("ops", "apprise", "mailto://me:pw@example.com"),
        ("hook", "webhook", "https://a.example/x"),
    ]
    assert "pw" not in repr(channels)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("${OPS_URL}", "${OTHER}", 1, "the environment has no variable 'OTHER'"),
        ('secret = "s"\n', "", 4, "needs 'secret'"),
        ('secret = "s"', 'secret = ""', 6, "'secret' is empty"),
        ('secret = "s"', 'secret = "s"\nallow_private = "false"', 7, "allow_private must be true or false"),
        ("https://a.example/x", "a.example/x", 5, "begins with https:// or http://"),
        ("https://a.example/x", "https://me:pw@a.example/x", 5, "holds no user name or password"),
        ("apprise =", "aprise =", 2, "a channel has no 'aprise'"),
        ("[channels.ops]", "[channel.ops]", 1, "neither [[rule]] nor [channels.NAME]"),
    ],
)
def test_faults_of_channels_have_lines(old, new, line, words):
    """Channels are checked like rules."""
    found = faults(changed(old, new, CHANNELS), {"OPS_URL": "x"})
    assert any(at == line and words in message for at, message in found)


def test_the_delivered_rules_can_be_left_out():
    """`delivered = false` at the top of a file stands for itself; another value is a fault."""
    assert parse_rules(GOOD, "file").delivered
    assert not parse_rules(f"delivered = false\n{GOOD}", "file").delivered
    assert faults(f'delivered = "no"\n{GOOD}') == [(1, "delivered must be true or false")]


def test_one_rule_is_wanted_where_one_is_wanted():
    """Through the API a text holds exactly one rule and no channels."""
    with pytest.raises(InvalidRule, match="one \\[\\[rule\\]\\] is wanted here, not 2"):
        parse_rule(f"{GOOD}\n{changed('customer-hour', 'b')}", "stored")
    with pytest.raises(InvalidRule, match="channels stand in the rules file"):
        parse_rule(GOOD + '\n[channels.x]\napprise = "json://h"\n', "stored")


def test_the_delivered_rules_are_well_formed_and_cover_what_is_promised():
    """Cost spike, budgets by hour, day and month, rates, loops, latency, prices, silence and our own health."""
    rules = {rule.name: rule for rule in delivered_rules()}
    assert set(rules) >= {
        "cost-spike", "customer-budget-hour", "customer-budget-day", "budget-day", "budget-month", "escalation-rate",
        "tool-failure-rate", "share-at-cap", "loops", "latency", "unpriced-tokens", "collector-drops", "collector-lag",
        "no-runs",
    }  # fmt: skip
    assert isinstance(rules["budget-month"].condition, Forecast)
    assert all(rule.enabled and rule.description for rule in rules.values())


def test_a_channel_that_does_not_exist_is_a_fault():
    """A misspelt name would have nobody told; it is said with its line, and the rule stays in force for the page."""
    text = changed('["ops"]', '["opps", "ops"]') + '[channels.ops]\napprise = "json://example.com"\n'
    assert faults(text) == [(11, "notify: there is no channel 'opps'; did you mean 'ops'?")]
    assert [rule.name for rule in parse_rules(text, "file").rules] == ["customer-hour"]
    assert parse_rules(GOOD, "stored").faults == [], "a rule made through the API does not hold the channels"


@pytest.mark.parametrize(
    ("evidence", "fault"),
    [
        ("escalation", "there is no query 'escalation'; did you mean 'escalations'?"),
        ("cost_by", "query cost_by names no runs without more being said"),
        ("latency_outliers", None),
    ],
)
def test_evidence_names_runs(evidence, fault):
    """A query that could not be asked when an alert fires, or that names no runs, is a fault with its line."""
    found = faults(changed('notify = ["ops"]', f'evidence = "{evidence}"'))
    assert [line for line, _ in found] == ([11] if fault else [])
    assert all(message.startswith(fault) for _, message in found)
