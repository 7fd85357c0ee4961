"""The events of a run as the journal writes them, one after the other, for what shows a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from migrate.core.documents import document
from migrate.core.evidence import Event, EventKind
from migrate.core.facts import Task
from migrate.core.task_groups import TaskGroup, task_groups
from tests.fakes.records import NOON

WAITING = ("deployment", "waiting", "rollout IN_PROGRESS: 1 of 4 tasks run")
PASSES = ("deployment", "pass", "ecs-svc/2 is PRIMARY and COMPLETED")
ALARM = ("alarms", "fail", "web-5xx is in ALARM: 12 errors")


def told(kind: EventKind, step: str, text: str, after: float = 0, **data: object) -> Event:
    """Return one event, ``after`` seconds since noon."""
    return Event("run-1", NOON + timedelta(seconds=after), kind, step, text, document(data))


def resource(name: str, phase: str, after: float = 0) -> Event:
    """Return what Pulumi says about one resource."""
    data = {"operation": "update", "type": "aws:ecs/service:Service", "name": name, "phase": phase}
    return told(EventKind.RESOURCE, f"urn:{name}", f"update {name}: {phase}", after, **data)


def measured(*checks: tuple[str, str, str], after: float = 0, soak_left: float | None = None) -> Event:
    """Return one sample of a gate with a soak of 10 and a deadline of 40 minutes, in the middle of a rollout."""
    groups = [
        TaskGroup(new=False, architecture="x86_64", provider="FARGATE", running=3, pending=0, stopping=1),
        TaskGroup(new=True, architecture="arm64", provider="FARGATE_SPOT", running=1, pending=2, stopping=0),
    ]
    names = ("new", "architecture", "provider", "running", "pending", "stopping")
    return told(
        EventKind.MEASUREMENT,
        "gate 2",
        "; ".join(text for _, _, text in checks),
        after,
        measurements=[{"check": check, "outcome": outcome, "text": text} for check, outcome, text in checks],
        tasks=[{name: getattr(group, name) for name in names} for group in groups],
        desired=4,
        soak=600.0,
        soak_left=soak_left,
        deadline_left=2400.0 - after,
    )


def counted(tasks: Sequence[Task], deployment_id: str) -> dict[tuple[bool, str, str], tuple[int, int, int]]:
    """Return the groups by kind: running, pending, stopping."""
    return {
        (group.new, group.architecture, group.provider): (group.running, group.pending, group.stopping)
        for group in task_groups(tasks, deployment_id)
    }


STORY = (
    told(EventKind.INTENT, "guard tag", "keep the original under migrate-original-tag1"),
    told(EventKind.OUTCOME, "guard tag", "keep the original under migrate-original-tag1: done", 1),
    told(EventKind.NOTE, "service stack: preview", "preview of the service stack: update service", 2),
    told(EventKind.INTENT, "service stack: up", "service stack to stage 2 (architecture)", 3),
    told(
        EventKind.OUTCOME,
        "service stack: up",
        "service stack to stage 2 (architecture): done",
        75,
        stack="service",
        changes=["update service"],
        outputs={},
    ),
    measured(WAITING, after=80),
    measured(WAITING, after=95),
    measured(PASSES, after=110, soak_left=600),
    measured(PASSES, after=125, soak_left=585),
    measured(PASSES, after=140, soak_left=570),
    measured(PASSES, ALARM, after=155),
    told(EventKind.VERDICT, "gate 2", "fail: web-5xx is in ALARM: 12 errors", 155, verdict="fail", reasons=[ALARM[2]]),
    told(EventKind.NOTE, "roll back", "stage 2 did not prove itself; going back", 156),
    told(EventKind.INTENT, "refresh", "read the world into the service stack", 157),
    told(EventKind.OUTCOME, "refresh", "read the world into the service stack: failed: no", 160, error="EngineError"),
    told(EventKind.INTENT, "restore tag", "tag1 to the original manifest", 161),
    told(EventKind.FINISHED, "finished", "ROLLBACK NOT COMPLETE", 3700, status="rollback_incomplete", reasons=["no"]),
)
"""A run whose gate failed and whose way back was cut off in the middle of an act."""
