"""JSON for programs: one object a command, keys as the records name them; the format only ever grows.

Each kind of document has a JSON Schema in schemas/, which tests hold it to, and says its kind and format first.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from functools import singledispatch
from typing import Any

from migrate.core.check import CheckReport, Readiness, count, group_of
from migrate.core.cost.cost import PriceEstimate
from migrate.core.cost.cost import change as price_change
from migrate.core.documents import fields
from migrate.core.evidence import Event, Run
from migrate.core.findings import Finding
from migrate.core.fleet.report import FleetReport
from migrate.core.fleet.run import Entry, FleetRun
from migrate.core.outcome import RunOutcome
from migrate.core.plan.binding import PlanBinding
from migrate.core.plan.detail import StageDetail
from migrate.core.plan.plan import MigrationPlan
from migrate.core.plan.sides import Sides
from migrate.core.run.audit import Audit, AuditEntry, took
from migrate.core.run.report import Report
from migrate.core.stages import Stage
from migrate.core.status import Status
from migrate.errors import MigrateError

FORMAT = 1
"""The version of every document: it would change if a key went away or changed its meaning, and so it does not."""


@singledispatch
def plain(value: Any) -> Any:
    """Return a record as JSON holds it: numbers for stages, text for money, times and other words."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


@plain.register
def _(value: Finding) -> Any:
    found = {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    found["evidence"] = [{"name": name, "value": item} for name, item in value.evidence]
    return {**found, "group": group_of(value)}


@plain.register
def _(value: Enum) -> Any:
    return value.value


@plain.register(Mapping)
def _(value: Mapping[str, Any]) -> Any:
    return {str(key): plain(item) for key, item in value.items()}


@plain.register(list)
@plain.register(tuple)
def _(value: Iterable[Any]) -> Any:
    return [plain(item) for item in value]


@plain.register
def _(value: timedelta) -> Any:
    return value.total_seconds()


@plain.register
def _(value: date) -> Any:
    return value.isoformat()


@plain.register
def _(value: Decimal) -> Any:
    return str(value)


def to_json(value: Any) -> str:
    """Return a record as indented JSON text."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False)


def plan_document(
    plan: MigrationPlan,
    details: Sequence[StageDetail],
    bound: PlanBinding,
    owner: dict[str, Any] | None = None,
    program: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a plan for programs; the record inside it is ours and left out.

    ``owner`` is what the service's owner has to change, None where this tool deploys it; ``program`` what is set in the
    configuration of the team's program, None where it holds no service.
    """
    document: dict[str, Any] = plain(plan)
    del document["record"], document["rollouts"], document["observed"]
    for stage, detail in zip(document["stages"], details, strict=True):
        stage["differences"] = [_differences(item) for item in detail.sides if item.differences]
        stage["unchanged"] = [{"what": item.what, "fields": list(item.unchanged)} for item in detail.sides]
        stage["requests"] = [{"call": item.call, "parameters": fields(item.parameters)} for item in detail.requests]
        change = price_change(plan.price_now, plan.stage(detail.stage).price)
        stage["price_change"] = {"low": str(change[0]), "high": str(change[1])} if change else None
        stage["time"] = {**plain(detail.time), "likely": plain(detail.time.likely)}
    return {
        **head("plan"),
        **document,
        "counts": count(plan.findings),
        "binding": plain(bound),
        "owner": owner,
        "program": program,
    }


def diff_document(plan: MigrationPlan, details: Sequence[StageDetail]) -> dict[str, Any]:
    """Return both sides of every document that the stages are about, for programs."""
    stages = [{"stage": item.stage.value, "documents": [_sides(each) for each in item.sides]} for item in details]
    return {**head("diff"), "service_arn": plan.service_arn, "made_at": plain(plan.made_at), "stages": stages}


def _sides(item: Sides) -> dict[str, Any]:
    before, after = (None if side is None else fields(side) for side in (item.before, item.after))
    return {"what": item.what, "name": item.name, "before": before, "after": after}


def _differences(item: Sides) -> dict[str, Any]:
    return {"what": item.what, "name": item.name, "differences": plain(item.differences)}


def check_document(report: CheckReport) -> dict[str, Any]:
    """Return a check for programs: the answers, each with the codes of what stops it, and all findings."""
    return {
        **head("check"),
        "subject": {"kind": report.subject.value, "name": report.name},
        "arm64": _answer(report, report.arm64, Stage.ARCHITECTURE),
        "spot": _answer(report, report.spot, Stage.CAPACITY),
        "counts": report.counts,
        "summary": report.summary,
        "findings": plain(report.findings),
    }


def _answer(report: CheckReport, readiness: Readiness, stage: Stage) -> dict[str, Any]:
    stopped = readiness in (Readiness.BLOCKED, Readiness.UNDECIDED)
    codes = dict.fromkeys(item.code for item in report.in_the_way(stage)) if stopped else {}
    return {"readiness": readiness.value, "because": list(codes)}


def status_document(status: Status) -> dict[str, Any]:
    """Return a status for programs, pairs turned into objects."""
    document: dict[str, Any] = plain(status)
    for name in ("architectures", "split"):
        document[name] = dict(document[name])
    if document["twin"] is not None:
        document["twin"]["architectures"] = dict(document["twin"]["architectures"])
    document["price_known"] = isinstance(status.price, PriceEstimate)
    return {**head("status"), **document}


def outcome_document(outcome: RunOutcome) -> dict[str, Any]:
    """Return how a run ended, for programs."""
    return {**head("outcome"), **plain(outcome)}


def history_document(service: str, runs: Iterable[Run]) -> dict[str, Any]:
    """Return the runs of a service for programs, newest first."""
    return {**head("history"), "service": service, "runs": [_run(run) for run in runs]}


def audit_document(audit: Audit) -> dict[str, Any]:
    """Return one run for programs: every act with its outcome, condensed samples, verdicts and notes."""
    return {**head("run"), "run": _run(audit.run), "entries": [_entry(entry) for entry in audit.entries]}


def report_document(report: Report) -> dict[str, Any]:
    """Return all that is known of a run for programs: what ``run`` has, and what its gates saw over time."""
    return {
        **audit_document(report.audit),
        **head("report"),
        "runs": [_run(run) for run in report.runs],
        "decisions": [_entry(entry) for entry in report.decisions],
        **{name: plain(getattr(report, name)) for name in ("tasks", "checks", "events", "stopped")},
        "findings": plain(report.preflight.findings) if report.preflight else [],
        "prices": plain(report.preflight.prices) if report.preflight else [],
        "versions": dict(report.preflight.versions) if report.preflight else {},
    }


def _entry(entry: AuditEntry) -> dict[str, Any]:
    return {**plain(entry), "seconds": entry.seconds, "data": fields(entry.data)}


def _run(run: Run) -> dict[str, Any]:
    return {**plain(run), "seconds": plain(took(run))}


def fleet_document(report: FleetReport, workers: Mapping[str, str]) -> dict[str, Any]:
    """Return a run over a fleet for programs; ``workers`` are names by id."""
    run, decision = report.run, report.decision
    return {
        **head("fleet"),
        "run": run.id,
        "fleet": run.fleet,
        "verb": run.verb.value,
        "stage": run.stage,
        "started_at": plain(run.started_at),
        "operator": run.operator,
        "state": decision.state.value,
        "why": decision.why,
        "waves": list(run.waves),
        "wave": run.waves[decision.wave],
        "exit_code": int(report.exit_code),
        "members": [_fleet_member(run, entry, workers) for entry in report.entries],
        "workers": sorted(workers.values()),
    }


def fleet_event_line(run: FleetRun, entry: Entry) -> str:
    """Return a member that stands elsewhere than before, as one line of JSON."""
    return json.dumps({**head("fleet_event"), "run": run.id, **_fleet_member(run, entry, {})}, ensure_ascii=False)


def _fleet_member(run: FleetRun, entry: Entry, workers: Mapping[str, str]) -> dict[str, Any]:
    member = entry.member
    return {
        "arn": member.arn,
        "account": member.account_id,
        "region": member.region,
        "cluster": member.cluster,
        "service": member.service,
        "wave": run.waves[entry.wave],
        "state": entry.state.value,
        "attempt": entry.attempt,
        "worker": workers.get(entry.worker, entry.worker),
        "text": entry.text,
        "exit_code": entry.exit_code,
        "then": entry.then,
        "runbook": entry.runbook,
        "member_run": entry.run_id,
        "started_at": plain(entry.started_at),
        "finished_at": plain(entry.finished_at),
    }


def error_document(error: MigrateError) -> dict[str, Any]:
    """Return an error for programs."""
    return {
        **head("error"),
        "error": type(error).__name__,
        "exit_code": int(error.exit_code),
        "what": error.what,
        "why": error.why,
        "then": error.then,
        "runbook": error.runbook,
    }


def event_line(event: Event) -> str:
    """Return an event as one line of JSON, its data as an object."""
    return json.dumps({**head("event"), **plain(event), "data": fields(event.data)}, ensure_ascii=False)


def head(document: str) -> dict[str, Any]:
    """Return what every document begins with."""
    return {"format": FORMAT, "document": document}
