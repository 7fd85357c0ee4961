"""Metrics as Prometheus reads them: by its own parser, and as a snapshot that people can look through."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from syrupy.assertion import SnapshotAssertion

from migrate.core.evidence import EventKind, Run
from migrate.core.run.metrics import ServiceMetrics, gate_seen, service_metrics
from migrate.core.stages import Position, Stage
from migrate.errors import ExitCode
from migrate.render.prometheus import STATUSES, exposition
from tests.fakes.records import NOON, SERVICE_ARN, a_record, a_run
from tests.fakes.story import ALARM, PASSES, STORY, measured, told

ENDED = replace(a_run("7d1c0a54"), stage=2, status="rolled_back", finished_at=NOON + timedelta(seconds=3700))


def metrics(*runs: Run) -> ServiceMetrics:
    record = replace(a_record(), position=Position(Stage.IMAGE, Stage.ARCHITECTURE))
    return service_metrics(SERVICE_ARN, record, runs or (ENDED,), *gate_seen(NOON, STORY))


def samples(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Return by metric the values, by those labels that do not say which service."""
    place = {"service", "cluster", "region", "account"}
    return {
        family.name: {
            tuple(value for name, value in sorted(sample.labels.items()) if name not in place): sample.value
            for sample in family.samples
        }
        for family in text_string_to_metric_families(text)
    }


def test_a_service_in_the_middle_of_its_migration(snapshot: SnapshotAssertion) -> None:
    assert exposition([metrics(replace(ENDED, id="9", status="running", finished_at=None), ENDED)]) == snapshot


def test_what_is_known_is_told_and_what_is_not_is_left_out() -> None:
    found = samples(exposition([metrics()]))
    assert found["migrate_stage_proven"] == {(): 1}
    assert found["migrate_stage_entered"] == {(): 2}
    assert found["migrate_last_run_duration_seconds"] == {(): 3700}
    assert found["migrate_last_run_status"][("rolled_back",)] == 1
    assert sum(found["migrate_last_run_status"].values()) == 1
    assert found["migrate_tasks"][("arm64", "new", "FARGATE_SPOT", "running")] == 1
    blank = samples(exposition([ServiceMetrics(SERVICE_ARN, Position())]))
    assert {name for name, values in blank.items() if values} == {"migrate_stage_proven"}
    assert blank["migrate_stage_proven"] == {(): -1}


def test_soak_is_there_while_all_passes_and_a_new_sample_takes_the_verdict_back() -> None:
    verdict = told(EventKind.VERDICT, "gate 2", "fail: alarms", verdict="fail")
    soaking, failing = measured(PASSES, soak_left=42.0), measured(PASSES, ALARM)
    for events, left, last in (
        ((soaking,), 42.0, ""),
        ((soaking, failing), None, ""),
        ((failing, verdict), None, "fail"),
        ((failing, verdict, soaking), 42.0, ""),
    ):
        gate, found = gate_seen(NOON, events)
        assert gate is not None
        assert (gate.soak_left, found) == (left, last)


def test_services_share_a_family_and_hostile_names_are_escaped() -> None:
    hostile = f'{SERVICE_ARN}"}} 1\nmigrate_stage_proven{{service="x\\'
    text = exposition([metrics(), replace(metrics(), service=hostile), ServiceMetrics("no arn", Position())])
    (family,) = [item for item in text_string_to_metric_families(text) if item.name == "migrate_stage_proven"]
    assert [sample.labels["service"] for sample in family.samples] == [
        "web",
        'web"} 1\nmigrate_stage_proven{service="x\\',
        "no arn",
    ]
    assert [sample.labels["cluster"] for sample in family.samples] == ["demo", "demo", ""]
    assert text.count("# TYPE migrate_stage_proven gauge") == 1


@pytest.mark.parametrize("code", ExitCode)
def test_every_way_a_run_may_end_is_a_status(code: ExitCode) -> None:
    assert code.name.lower() in STATUSES
