"""What a run keeps for whoever looks back at it: preflight, the numbers behind its checks, and what ECS said."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from migrate.core.evidence import EventKind
from migrate.core.findings import Grade
from migrate.core.run.news import news
from migrate.core.run.preflight_evidence import preflight_of
from migrate.errors import ExitCode
from tests.fakes.aws_simulation import Fate
from tests.fakes.migration import Operator


def kept(operator: Operator, kind: EventKind) -> list[dict[str, Any]]:
    return [json.loads(event.data) for event in operator.events() if event.kind is kind]


def test_a_run_keeps_its_preflight_with_prices_and_versions() -> None:
    operator = Operator.of().reach(0)
    (data,) = kept(operator, EventKind.PREFLIGHT)
    found = preflight_of(data)
    assert found.findings
    assert all(isinstance(item.grade, Grade) for item in found.findings)
    assert [price.stage for price in found.prices] == [None, 0, 1, 2, 3]
    assert all(price.low for price in found.prices)
    assert {"migrate", "Python", "boto3"} <= dict(found.versions).keys()


def test_the_events_of_ecs_and_the_tasks_that_stopped_are_kept_once_with_their_cause() -> None:
    operator = Operator.of().reach(1)
    operator.world.next_deployment(Fate.EXEC_FORMAT)
    assert operator.apply(2).exit_code is ExitCode.ROLLED_BACK
    samples = kept(operator, EventKind.MEASUREMENT)
    stopped = [task for sample in samples for task in sample["stopped"]]
    assert len({task["arn"] for task in stopped}) == len(stopped) > 0
    assert {task["cause"] for task in stopped if task["failure"]} == {"essential container exited"}
    events = [event for sample in samples for event in sample["events"]]
    assert len({event["id"] for event in events}) == len(events) > 0
    assert any("has started a deployment" in event["message"] for event in events)
    assert all(event["at"] >= operator.store.runs(operator.service.arn)[0].started_at.isoformat() for event in events)


def test_what_was_told_already_or_happened_before_is_no_news() -> None:
    operator = Operator.of().reach(1)
    service, began = operator.service, operator.record.baseline.recorded_at
    everything = news(service, (), began, frozenset())
    assert everything.events
    assert not news(service, (), began, everything.names).events
    assert not news(service, (), operator.world.clock.now() + timedelta(seconds=1), frozenset()).events


def test_the_targets_that_are_healthy_are_kept_as_a_number_with_its_limit() -> None:
    operator = Operator.of().reach(1)
    readings = [
        item["reading"]
        for sample in kept(operator, EventKind.MEASUREMENT)
        for item in sample["measurements"]
        if item["check"] == "targets" and "reading" in item
    ]
    assert {"value": 4.0, "limits": [{"operator": ">=", "bound": 4.0, "good": True}]} in readings
