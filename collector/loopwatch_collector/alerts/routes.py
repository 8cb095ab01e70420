"""Routes of /api/v1/rules, /api/v1/alerts, /api/v1/silences and /api/v1/channels."""

import time
import uuid
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.engine import AlertEngine
from loopwatch_collector.alerts.errors import Fault, InvalidRule, UnknownAlert
from loopwatch_collector.alerts.prometheus import prometheus_rules
from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.alerts.records import Remark, StoredRule
from loopwatch_collector.alerts.remarks import ACKNOWLEDGEMENT, SILENCE, Remarks, arrange
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.alerts.rule_parsing import parse_rule, parse_rules
from loopwatch_collector.alerts.states import Alert
from loopwatch_collector.alerts.views import show_alert, show_replay, show_rule, show_silence
from loopwatch_collector.auth import Principal, require, require_to_change
from loopwatch_collector.queries.errors import InvalidParameter
from loopwatch_collector.queries.times import LATEST_NS, parse_time

router: Final = APIRouter(prefix="/api/v1")

_ACKNOWLEDGED_FOR_NS: Final = 400 * 86_400 * NS
_MAX_REPLAYED: Final = 20_000


def _engine(request: Request) -> AlertEngine:
    return request.app.state.alerts


Reader = Annotated[Principal, Depends(require("read"))]
Admin = Annotated[Principal, Depends(require_to_change("admin"))]
Engine = Annotated[AlertEngine, Depends(_engine)]
From = Annotated[str, Query(alias="from", description="start: ISO 8601 or epoch ms, included")]
To = Annotated[str, Query(alias="to", description="end: ISO 8601 or epoch ms, excluded")]


class RuleText(BaseModel):
    """Rules as TOML."""

    model_config = ConfigDict(extra="forbid")

    toml: Annotated[str, Field(max_length=100_000)]


class Switch(BaseModel):
    """Whether a rule is on."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool


class Acknowledgement(BaseModel):
    """Somebody knows of an alert."""

    model_config = ConfigDict(extra="forbid")

    by: Annotated[str, Field(min_length=1, max_length=200)]
    note: Annotated[str, Field(max_length=2_000)] = ""


class Silence(BaseModel):
    """Nobody is told for a while."""

    model_config = ConfigDict(extra="forbid")

    rule: Annotated[str | None, Field(description="a rule's name; none for every rule")] = None
    group: Annotated[dict[str, str], Field(description="such as {customer: acme}; empty for every group")] = {}
    for_s: Annotated[int, Field(gt=0, le=90 * 86_400)]
    by: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Annotated[str, Field(max_length=2_000)] = ""


def answer_invalid_rule(_request: Request, error: Exception) -> Response:
    """Answers with every fault of a rules text and its line."""
    faults = error.faults if isinstance(error, InvalidRule) else [Fault(None, str(error))]
    body = {"code": InvalidRule.code, "message": str(error), "faults": [fault._asdict() for fault in faults]}
    return JSONResponse({"error": body}, InvalidRule.status)


@router.get("/rules", tags=["alerts"])
def list_rules(reader: Reader, engine: Engine) -> dict[str, Any]:
    """Lists the rules in force, those turned off included, and what is wrong in the operator's file."""
    current = engine.rulebook.reload()
    open_alerts = _open_alerts(engine, reader.project)
    rules = [
        show_rule(rule, engine.status(reader.project, rule.name), open_alerts.get(rule.name, ()))
        for rule in current.rules_of(reader.project).values()
    ]
    return {"rules": rules, "faults": [fault._asdict() for fault in current.faults]}


def _open_alerts(engine: AlertEngine, project: str) -> dict[str, list[Alert]]:
    by_rule: dict[str, list[Alert]] = {}
    for alert in engine.records.list_alerts(project, 0, LATEST_NS, states=("pending", "firing"), limit=10_000):
        by_rule.setdefault(alert.rule, []).append(alert)
    return by_rule


@router.get("/rules/export", tags=["alerts"], response_class=Response)
def export_rules(
    reader: Reader, engine: Engine, format_: Annotated[str, Query(alias="format")] = "prometheus"
) -> Response:
    """Writes the rules as a Prometheus rules file; the conditions are judged here and shown on /metrics."""
    if format_ != "prometheus":
        raise InvalidParameter(f"format must be prometheus, not '{format_[:40]}'")
    rules = [rule for rule in engine.rulebook.reload().rules_of(reader.project).values() if rule.enabled]
    return Response(prometheus_rules(reader.project, rules), media_type="text/yaml; charset=utf-8")


@router.post("/rules/check", tags=["alerts"])
def check_rules(text: RuleText, _reader: Reader, engine: Engine) -> dict[str, Any]:
    """Says what is wrong with a rules text, line by line; changes nothing."""
    result = parse_rules(text.toml, "stored", channels=_channel_names(engine))
    # a channel's ${NAME} is the operator's environment and none of the caller's business
    faults = [fault for fault in result.faults if "the environment has no variable" not in fault.message]
    return {"rules": [rule.name for rule in result.rules], "faults": [fault._asdict() for fault in faults]}


def _channel_names(engine: AlertEngine) -> list[str]:
    return [channel.name for channel in engine.rulebook.reload().channels]


@router.post("/rules/test", tags=["alerts"])
def replay_unsaved_rule(
    text: RuleText,
    reader: Reader,
    engine: Engine,
    from_: From,
    to: To,
    step_seconds: Annotated[int | None, Query(ge=1)] = None,
) -> dict[str, Any]:
    """Replays a rule that is not saved over history: when it would have fired."""
    return _replayed(parse_rule(text.toml, "stored"), reader.project, engine, from_, to, step_seconds)


@router.get("/rules/{name}", tags=["alerts"])
def get_rule(name: str, reader: Reader, engine: Engine) -> dict[str, Any]:
    """Returns one rule."""
    engine.rulebook.reload()
    rule = engine.rulebook.rule(reader.project, name)
    alerts = _open_alerts(engine, reader.project).get(name, ())
    return show_rule(rule, engine.status(reader.project, name), alerts)


@router.get("/rules/{name}/test", tags=["alerts"])
def replay_rule(
    name: str,
    reader: Reader,
    engine: Engine,
    from_: From,
    to: To,
    step_seconds: Annotated[int | None, Query(ge=1)] = None,
) -> dict[str, Any]:
    """Replays a rule over history: when it would have fired."""
    engine.rulebook.reload()
    return _replayed(engine.rulebook.rule(reader.project, name), reader.project, engine, from_, to, step_seconds)


def _replayed(
    rule: Rule, project: str, engine: AlertEngine, from_: str, to: str, step_seconds: int | None
) -> dict[str, Any]:
    stretch = Range(parse_time("from", from_), parse_time("to", to))
    if stretch.from_ns >= stretch.to_ns:
        raise InvalidParameter("from must lie before to")
    if step_seconds and stretch.seconds / step_seconds > _MAX_REPLAYED:
        raise InvalidParameter(f"that would be more than {_MAX_REPLAYED} evaluations: take a larger step_seconds")
    result = engine.replay(project, rule, stretch, step_seconds)
    return show_replay(rule, stretch.from_ns, stretch.to_ns, result)


@router.put("/rules/{name}", tags=["alerts"])
def put_rule(name: str, text: RuleText, admin: Admin, engine: Engine) -> dict[str, Any]:
    """Makes a rule, or takes the place of the one of that name."""
    rule = parse_rule(text.toml, "stored", _channel_names(engine))
    if rule.name != name:
        raise InvalidRule([Fault(None, f"the rule is called '{rule.name}', the address says '{name[:80]}'")])
    engine.records.save_rule(StoredRule(admin.project, name, text.toml, rule.enabled))
    engine.changed()
    return get_rule(name, admin, engine)


@router.put("/rules/{name}/enabled", tags=["alerts"])
def switch_rule(name: str, switch: Switch, admin: Admin, engine: Engine) -> dict[str, Any]:
    """Turns a rule on or off, wherever it comes from."""
    engine.rulebook.reload()
    rule = engine.rulebook.rule(admin.project, name)
    text = rule.toml if rule.source == "stored" else ""
    engine.records.save_rule(StoredRule(admin.project, name, text, switch.enabled))
    engine.changed()
    return get_rule(name, admin, engine)


@router.delete("/rules/{name}", tags=["alerts"], status_code=204)
def delete_rule(name: str, admin: Admin, engine: Engine) -> None:
    """Removes what was made through the API; a delivered rule or one of the file comes back as it was."""
    engine.rulebook.reload()
    engine.rulebook.rule(admin.project, name)
    engine.records.save_rule(StoredRule(admin.project, name, "", True), is_deleted=True)
    engine.changed()


@router.get("/alerts", tags=["alerts"])
def list_alerts(
    reader: Reader,
    engine: Engine,
    state: Annotated[
        list[str] | None, Query(description="pending, firing, resolved; default pending and firing")
    ] = None,
    rule: Annotated[list[str] | None, Query()] = None,
    severity: Annotated[list[str] | None, Query()] = None,
    from_: Annotated[str, Query(alias="from", description="started from then on")] = "0",
    to: Annotated[str | None, Query(description="started before then")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
) -> dict[str, Any]:
    """Lists alerts, the latest first."""
    now_ns = time.time_ns()
    remarks = arrange(engine.records.remarks())
    alerts = engine.records.list_alerts(
        reader.project,
        parse_time("from", from_),
        parse_time("to", to) if to else LATEST_NS,
        states=state or ("pending", "firing"),
        rules=rule or (),
        severities=severity or (),
        limit=limit,
    )
    return {"alerts": [show_alert(alert, remarks, now_ns) for alert in alerts]}


@router.get("/alerts/{alert_id}", tags=["alerts"])
def get_alert(alert_id: str, reader: Reader, engine: Engine) -> dict[str, Any]:
    """Returns one alert with its history."""
    alert = engine.records.get_alert(reader.project, alert_id)
    return show_alert(alert, arrange(engine.records.remarks()), time.time_ns(), with_history=True)


@router.post("/alerts/{alert_id}/acknowledge", tags=["alerts"])
def acknowledge(alert_id: str, said: Acknowledgement, admin: Admin, engine: Engine) -> dict[str, Any]:
    """Notes that somebody knows: the alert is not said again."""
    engine.records.get_alert(admin.project, alert_id)
    now_ns = time.time_ns()
    body = {"by": said.by, "note": said.note, "at_ns": now_ns}
    remark = Remark(admin.project, ACKNOWLEDGEMENT, alert_id, now_ns + _ACKNOWLEDGED_FOR_NS, body)
    engine.records.save_remark(remark)
    engine.changed()
    return get_alert(alert_id, admin, engine)


@router.get("/silences", tags=["alerts"])
def list_silences(reader: Reader, engine: Engine) -> dict[str, Any]:
    """Lists the silences that are on."""
    return {"silences": [show_silence(one) for one in _silences(engine).silences.get(reader.project, ())]}


def _silences(engine: AlertEngine) -> Remarks:
    return arrange(engine.records.remarks())


@router.post("/silences", tags=["alerts"], status_code=201)
def create_silence(silence: Silence, admin: Admin, engine: Engine) -> dict[str, Any]:
    """Begins a silence; alerts go on and are listed, nobody is told."""
    if silence.rule is not None:
        engine.rulebook.rule(admin.project, silence.rule)
    now_ns = time.time_ns()
    body = {**silence.model_dump(exclude={"for_s"}), "at_ns": now_ns}
    remark = Remark(admin.project, SILENCE, uuid.uuid4().hex[:16], now_ns + silence.for_s * NS, body)
    engine.records.save_remark(remark)
    engine.changed()
    return show_silence(remark)


@router.delete("/silences/{silence_id}", tags=["alerts"], status_code=204)
def delete_silence(silence_id: str, admin: Admin, engine: Engine) -> None:
    """Ends a silence; what still fires is told."""
    found = [one for one in _silences(engine).silences.get(admin.project, ()) if one.remark_id == silence_id]
    if not found:
        raise UnknownAlert(f"there is no silence '{silence_id[:40]}' that is on")
    engine.records.save_remark(found[0], is_deleted=True)
    engine.changed()


@router.get("/channels", tags=["alerts"])
def list_channels(_reader: Reader, engine: Engine) -> dict[str, Any]:
    """Lists where messages can go; addresses are not shown, they may hold keys."""
    channels = engine.rulebook.reload().channels
    return {"channels": [{"name": channel.name, "kind": channel.kind} for channel in channels]}
