"""Every stage on the sandbox: rolled back by each kind of check, passed, and gone back from."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from migrate.core.gate.gate import Verdict
from tests.e2e.conftest import Operator
from tests.e2e.gate_faults import (
    ALL,
    Desk,
    Failing,
    built_in_checks,
    good_checks,
    opened_desk,
    own_checks,
    publish,
    put_down,
    take_away,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3000)]

KEPT = ("launchType", "capacityProviderStrategy", "taskDefinition", "desiredCount", "deploymentConfiguration")
EACH_KIND_ONCE: dict[int, tuple[str, ...]] = {
    0: ("deployment", "comparison"),
    1: ("architecture", "webhook"),
    2: ("stopped tasks", "targets", "command", "metric", "probe"),
    3: ("capacity", "interruptions", "alarm", "prometheus"),
}
_runs = itertools.count(1)


@pytest.fixture(scope="module")
def desk(operator: Operator) -> Iterator[Desk]:
    with opened_desk(operator) as desk:
        yield desk


def kinds(desk: Desk) -> dict[str, Failing]:
    """Return all kinds of failing checks; metrics get new names each time."""
    return built_in_checks() | own_checks(desk.url, str(next(_runs)))


def every_kind(desk: Desk) -> dict[int, tuple[str, ...]]:
    return {stage: tuple(name for name, kind in kinds(desk).items() if stage in kind.stages) for stage in ALL}


@contextmanager
def settings(operator: Operator, text: str, keys: tuple[tuple[str, str], ...] = ()) -> Iterator[None]:
    """Put keys and checks into migrate.toml, and take them away again."""
    path = operator.directory / "migrate.toml"
    before = path.read_text(encoding="utf-8")
    changed = before
    for name, value in keys:
        changed = re.sub(rf"^#?\s*{name} = .*$", f"{name} = {value}", changed, count=1, flags=re.MULTILINE)
    path.write_text(f"{changed}\n{text}\n", encoding="utf-8")
    yield
    path.write_text(before, encoding="utf-8")


def listening(desk: Desk) -> str:
    return (
        f'[[gate.webhook]]\nname = "desk"\nurl = "{desk.url}/verdict"\nheaders = {{ Authorization = "DESK_TOKEN" }}\n'
    )


def standing(operator: Operator) -> Any:
    """Return what a failed stage must leave as it was."""
    service = operator.service()
    return {name: service.get(name) for name in KEPT}, operator.tag(), operator.architectures()


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["each kind", "every kind"])
def test_each_kind_of_check_takes_a_stage_back_and_every_stage_passes_and_is_gone_back_from(
    operator: Operator, desk: Desk, whole: bool
) -> None:
    operator.init()
    path = operator.directory / "migrate.toml"
    # The steps of weight are the whole migration's to show: here one run is one gate.
    path.write_text(re.sub(r"^#?\s*steps = .*$", "steps = []", path.read_text(), count=1, flags=re.MULTILINE))
    reached = [standing(operator)]
    for stage, names in (every_kind(desk) if whole else EACH_KIND_ONCE).items():
        for name in names:
            _taken_back(operator, desk, stage, kinds(desk)[name])
            assert standing(operator) == reached[-1], f"stage {stage}, {name}"
        if stage:
            _nothing_is_left_to_change(operator)
        _PASSING[stage](operator, desk)
        reached.append(standing(operator))
    for stage, before in reversed(list(enumerate(reached))[:-1]):
        way = ("--to-stage", str(stage - 1)) if stage else ("--to", "original")
        operator.done("rollback", *way, "--yes")
        assert _without_count(standing(operator)) == _without_count(before), f"back from stage {stage}"
        assert operator.service()["desiredCount"] == 5, "auto scaling's count is not undone"
    _scaled(operator, 4)


def _taken_back(operator: Operator, desk: Desk, stage: int, kind: Failing) -> None:
    desk.expect(kind.begun, kind.soaking)
    if kind.waiting:
        put_down(operator, **kind.waiting)
    with settings(operator, listening(desk) + kind.settings, kind.keys):
        ended = operator.run("apply", "--stage", str(stage), "--yes", DESK_TOKEN="very-secret")
        if kind.lasting:
            blocked = operator.run("apply", "--stage", str(stage), "--yes", DESK_TOKEN="very-secret")
            assert blocked.code == 3, f"stage {stage}, while {kind.check} still fails: {blocked.said}"
    take_away(operator)
    told = " ".join(ended.said.split())
    assert ended.code == 4, f"stage {stage}, {kind.check}: {ended.said}"
    assert f"rolled back to {f'stage {stage - 1}' if stage else 'the original'}" in told
    verdict = next(event for event in reversed(operator.events()) if event.text.startswith(f"{Verdict.FAIL}:"))
    assert f"{kind.check}: " in verdict.text, verdict.text


def _nothing_is_left_to_change(operator: Operator) -> None:
    preview = operator.done("stack", "service", "--", "preview", "--json")
    assert set(json.loads(preview.stdout)["changeSummary"]) <= {"same"}


def _applied(operator: Operator, stage: int) -> None:
    operator.done("apply", "--stage", str(stage), "--yes")


def _with_all_own_checks(operator: Operator, desk: Desk) -> None:
    """One of each kind that is well lets the stage pass; the secret reaches the desk and nobody else."""
    run = str(next(_runs))
    desk.expect(begun=lambda operator, _: publish(operator, run))
    with settings(operator, good_checks(desk.url, run)):
        passed = operator.run("apply", "--stage", "1", "--yes", DESK_TOKEN="very-secret")
    assert passed.code == 0, passed.said
    assert "very-secret" not in passed.said
    assert desk.told[-1]["authorization"] == "very-secret"
    assert (desk.told[-1]["service"], desk.told[-1]["stage"]) == (operator.seeded.service, "1")


def _c47_with_nothing_to_exercise(operator: Operator, desk: Desk) -> None:
    """Somebody scales to 0 in the soak: nothing was exercised, so the stage is neither proven nor rolled back."""
    desk.expect(soaking=lambda operator, _: _scaled(operator, 0))
    with settings(operator, listening(desk)):
        held = operator.run("apply", "--stage", "2", "--yes", DESK_TOKEN="very-secret")
        assert held.code == 6, held.said
        assert "nothing was exercised" in " ".join(held.said.split())
        assert operator.service()["desiredCount"] == 0, "the count is auto scaling's"
    _scaled(operator, 4)
    _applied(operator, 2)


def _interrupted_and_scaled(operator: Operator, desk: Desk) -> None:
    """Spot takes one task away and auto scaling adds one in the soak: ECS mends both, and the stage passes."""

    def strike(operator: Operator, _: object) -> None:
        put_down(operator, kind="spot_interruption", count=1)
        _scaled(operator, 5)

    desk.expect(soaking=strike)
    with settings(operator, listening(desk)):
        passed = operator.run("apply", "--stage", "3", "--yes", DESK_TOKEN="very-secret")
    assert passed.code == 0, passed.said
    assert desk.soaking is None, "it struck"
    ecs, seeded = operator.aws("ecs"), operator.seeded
    deployment = operator.service()["deployments"][0]["id"]
    pages = ecs.get_paginator("list_tasks").paginate(
        cluster=seeded.cluster, serviceName=seeded.service, desiredStatus="STOPPED"
    )
    stopped = [
        task
        for page in pages
        for task in ecs.describe_tasks(cluster=seeded.cluster, tasks=page["taskArns"])["tasks"]
        if task["startedBy"] == deployment
    ]
    assert [task["stoppedReason"] for task in stopped] == ["Your Spot Task was interrupted."]
    assert (operator.service()["desiredCount"], len(standing(operator)[2])) == (5, 5)


_PASSING = {
    0: lambda operator, _: _applied(operator, 0),
    1: _with_all_own_checks,
    2: _c47_with_nothing_to_exercise,
    3: _interrupted_and_scaled,
}


def _scaled(operator: Operator, count: int) -> None:
    seeded = operator.seeded
    operator.aws("ecs").update_service(cluster=seeded.cluster, service=seeded.service, desiredCount=count)


def _without_count(standing: Any) -> Any:
    service, tag, architectures = standing
    return {**service, "desiredCount": None}, tag, set(architectures)
