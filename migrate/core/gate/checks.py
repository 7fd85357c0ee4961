"""The checks of a gate: from facts about running tasks to measurements; none of them asks anybody anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from migrate.core.capacity import expected_split, follows, split_of
from migrate.core.facts import Alarm, Architecture, Deployment, Service, ServiceDeployment, Strategy, TargetHealth, Task
from migrate.core.gate.gate import Measurement, Outcome, Verdict
from migrate.core.gate.kept_images import KeptImages
from migrate.core.gate.readings import Limit, Reading
from migrate.core.gate.trouble import lack_of_capacity, never_rolls
from migrate.core.rollout.service_events import Signal, newest, of_late, said
from migrate.core.smoke_test import smoke_test_command
from migrate.core.stages import Stage


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the service must look like when a stage is done.

    ``deployment_id`` is the deployment that we started (design rule 6). ``digests`` are those a container may report:
    the index's or the child's (facts F14). ``launch_type`` is set where no strategy is.
    ``stage`` is the one that it is part of.
    """

    deployment_id: str
    task_definition_arn: str
    architecture: Architecture
    container: str
    digests: tuple[str, ...]
    strategy: Strategy
    launch_type: str | None
    alarms: tuple[str, ...] = ()
    only_capacity: bool = False
    images: KeptImages | None = None
    service: str = ""
    """ARN of the service where it is not the one of the settings: the twin's."""
    stage: Stage | None = None
    beside: str = ""
    """ARN of the service that a twin is compared with; empty for every other gate."""
    follows: datetime | None = None
    """When the deployment before ours began, by ECS's clock; None where none was started."""


def deployment_check(service: Service, expected: Expectation, told: Sequence[ServiceDeployment] = ()) -> Measurement:
    """Apply design rule 6: the deployment we started is PRIMARY, COMPLETED, on the expected revision (facts F18, F19).

    A deployment that is gone or no longer PRIMARY was rolled back by ECS or replaced by somebody, whatever the service
    says about being steady (case C31). ``told``, newest first, says why, and that ECS was so quick that its own way
    back was found in the place of our deployment: on the same revision nothing else tells them apart.
    """
    primary = service.primary
    ours = next((item for item in service.deployments if item.id == expected.deployment_id), None)
    evidence = _deployment_evidence(service, ours, told)
    why = _why(told)
    if primary is None:
        return _deployment(Outcome.INCONCLUSIVE, "the service has no PRIMARY deployment", evidence, final=True)
    if ours is None or ours.status != "PRIMARY":
        text = (
            f"deployment {expected.deployment_id} is no longer PRIMARY; {primary.id} is, on "
            f"{_short(primary.task_definition_arn)}: ECS rolled it back or somebody else deployed"
        )
        since = of_late(service)
        text += why + said(service, Signal.UNHEALTHY, since) + said(service, Signal.CAPACITY, since)
        return _deployment(Outcome.FAIL, text, evidence, final=True)
    if ours.task_definition_arn != expected.task_definition_arn:
        text = f"it runs {_short(ours.task_definition_arn)}, not {_short(expected.task_definition_arn)}"
        return _deployment(Outcome.FAIL, text, evidence, final=True)
    if told and told[0].status.startswith("ROLLBACK"):
        if other_strategy(service, expected):
            text = f"{ours.id} brings back the strategy of before: ECS rolled this stage back{why}"
            return _deployment(Outcome.FAIL, text, evidence, final=True)
        if expected.follows is not None and told[0].created_at > expected.follows:
            text = f"{ours.id} brings back what ran before: ECS rolled this stage back{why}"
            return _deployment(Outcome.FAIL, text, evidence, final=True)
    return _rollout(service, ours, evidence, why)


def other_strategy(service: Service, expected: Expectation) -> bool:
    """Whether the service is to be on a strategy, and is on another one or on none."""
    return expected.launch_type is None and set(service.strategy) != set(expected.strategy)


def _rollout(service: Service, ours: Deployment, evidence: tuple[tuple[str, str], ...], why: str) -> Measurement:
    if ours.rollout_state == "COMPLETED":
        return _deployment(Outcome.PASS, f"{ours.id} is PRIMARY and COMPLETED", evidence)
    if ours.rollout_state == "FAILED":
        reason = ours.rollout_state_reason or "ECS gives no reason"
        return _deployment(Outcome.FAIL, f"the rollout failed: {reason}{why}", evidence, final=True)
    if newest(service, Signal.PERCENTAGES, ours.created_at):
        return _deployment(Outcome.INCONCLUSIVE, never_rolls(service), evidence, final=True)
    text = f"rollout {ours.rollout_state}: {ours.running_count} of {ours.desired_count} tasks run"
    if ours.failed_tasks:
        text += f", {ours.failed_tasks} failed to start"
    return _deployment(Outcome.WAITING, text + why + said(service, Signal.UNHEALTHY, ours.created_at), evidence)


def tasks_check(service: Service, tasks: Sequence[Task], expected: Expectation) -> Measurement:
    """Prove architecture, revision and digest on every running task (facts F24); say so where the proof is weaker.

    ``startedBy`` of a service's task is the id of its deployment (ECS API, Task).
    """
    if service.desired_count == 0:
        trial = smoke_test_command(service, expected.task_definition_arn, expected.strategy, expected.launch_type)
        text = (
            f"desired count is 0: nothing runs, so nothing was exercised. To try one task beside the service: {trial}"
        )
        return Measurement("tasks", Outcome.INCONCLUSIVE, text, "gates#not-exercised", final=True)
    strange = [f"{_short(task.arn)}: {why}" for task in tasks for why in _strange(task, expected)]
    running = [task for task in tasks if task.last_status == "RUNNING"]
    evidence = _task_evidence(running, expected)
    # What a deployment started keeps its architecture and digest (facts F14): waiting cannot change them.
    ours = [task for task in running if task.started_by == expected.deployment_id]
    wrong = [f"{_short(task.arn)} {why}" for task in ours for why in _wrong(task, expected)]
    if wrong:
        text = f"{len(wrong)} tasks of our deployment are not what it must run; {wrong[0]}"
        return Measurement("tasks", Outcome.FAIL, text, "gates#tasks", evidence, final=True)
    if strange or len(running) != service.desired_count:
        first = f"; {strange[0]}" if strange else ""
        text = f"{len(running)} of {service.desired_count} tasks run, {len(strange)} not as expected{first}"
        return Measurement("tasks", Outcome.WAITING, text, "gates#tasks", evidence)
    text = f"all {len(running)} tasks run {expected.architecture} on {_short(expected.task_definition_arn)}"
    if any(task.architecture is None for task in running):
        text += " (by revision and digest only: ECS gave no cpu-architecture attribute)"
    if any(digest is None for task in running for digest in [_digest(task, expected.container)]):
        text += " (a container reported no image digest)"
    return Measurement("tasks", Outcome.PASS, text, "gates#tasks", evidence)


def capacity_check(service: Service, tasks: Sequence[Task], expected: Expectation) -> Measurement:
    """Compare the providers of the running tasks with base and weights of the strategy (facts F13)."""
    running = [task for task in tasks if task.last_status == "RUNNING"]
    lacking = _lacking(service, running, expected)
    if lacking is not None:
        return lacking
    if not running:
        return Measurement("capacity", Outcome.WAITING, "no task runs yet", "gates#capacity")
    if expected.launch_type is not None:
        return _launch_type(service, running, expected.launch_type)
    seen = split_of(task.provider for task in running)
    wanted = expected_split(expected.strategy, len(running))
    evidence = tuple((f"{name or 'no provider'}", str(count)) for name, count in sorted(seen.items()))
    shown = ", ".join(f"{name or 'no provider'} {count}" for name, count in sorted(seen.items()))
    if other_strategy(service, expected):
        # Nobody else's change is undone (design rule 7): a person decides which strategy is meant.
        text = "the service's strategy is not the one of this stage: somebody changed it"
        return Measurement("capacity", Outcome.INCONCLUSIVE, text, "gates#capacity", evidence, final=True)
    if follows(expected.strategy, seen):
        return Measurement("capacity", Outcome.PASS, f"tasks by provider: {shown}", "gates#capacity", evidence)
    ideal = ", ".join(f"{name} {count:g}" for name, count in sorted(wanted.items()))
    text = f"tasks by provider: {shown}; base and weights ask for {ideal}"
    return Measurement("capacity", Outcome.WAITING, text, "gates#capacity", evidence)


def targets_check(
    targets: Sequence[TargetHealth], groups: Sequence[str], *, deployed: bool, hint: str = ""
) -> Measurement:
    """Ask every target group for healthy targets (case C59); draining ones belong to the tasks that leave.

    ``hint`` is told with whatever is not healthy.
    """
    if not groups:
        return Measurement("targets", Outcome.PASS, "the service has no target group", "gates#targets")
    living = [target for target in targets if target.state not in ("draining", "unused")]
    evidence = tuple((f"{target.target}", f"{target.state} {target.reason}".strip()) for target in targets)
    unhealthy = [target for target in living if target.state != "healthy"]
    healthy = Reading(len(living) - len(unhealthy), (Limit(">=", len(living)),))
    bare = [group for group in groups if not any(target.target_group_arn == group for target in living)]
    if bare:
        named = ", ".join(_group(group) for group in bare)
        text = f"{len(bare)} of {len(groups)} target groups have no target in service ({named}){hint}"
        return Measurement("targets", Outcome.WAITING, text, "gates#targets", evidence)
    if unhealthy:
        first = f"{unhealthy[0].state} {unhealthy[0].reason}".strip()
        group = _group(unhealthy[0].target_group_arn)
        text = f"{len(unhealthy)} of {len(living)} targets are not healthy ({first} in {group}){hint}"
        sick = any(target.state == "unhealthy" for target in unhealthy)
        # While the rollout runs ECS itself replaces what is unhealthy, and the deployment check tells how that ends.
        outcome = Outcome.FAIL if deployed and sick else Outcome.WAITING
        return Measurement("targets", outcome, text, "gates#targets", evidence, reading=healthy)
    text = f"{len(living)} of {len(living)} targets healthy"
    return Measurement("targets", Outcome.PASS, text, "gates#targets", evidence, reading=healthy)


def alarms_check(alarms: Sequence[Alarm], names: Sequence[str]) -> Measurement:
    """Fail on a firing alarm; an alarm without data, or one that does not exist, proves nothing (design rule 5)."""
    if not names:
        return Measurement("alarms", Outcome.PASS, "no alarm is watched", "gates#alarms")
    found = {alarm.name: alarm for alarm in alarms}
    evidence = tuple((name, found[name].state if name in found else "missing") for name in names)
    firing = [name for name in names if name in found and found[name].state == "ALARM"]
    silent = [name for name in names if name not in found or found[name].state == "INSUFFICIENT_DATA"]
    if firing:
        text = f"{', '.join(firing)} is in ALARM: {found[firing[0]].reason}".rstrip(": ")
        return Measurement("alarms", Outcome.FAIL, text, "gates#alarms", evidence)
    if silent:
        text = f"{', '.join(silent)} has no data, and no data is never a pass"
        return Measurement("alarms", Outcome.INCONCLUSIVE, text, "gates#alarms", evidence)
    return Measurement("alarms", Outcome.PASS, f"{len(names)} of {len(names)} alarms OK", "gates#alarms", evidence)


def _group(arn: str) -> str:
    """Return the name in ``arn:...:targetgroup/NAME/ID``."""
    return arn.split("/")[1] if arn.count("/") > 1 else arn


def _lacking(service: Service, running: Sequence[Task], expected: Expectation) -> Measurement | None:
    """Tell a lack of capacity from a program that does not start (case C60); None while there is none."""
    ours = next((item for item in service.deployments if item.id == expected.deployment_id), None)
    placed = sum(task.started_by == expected.deployment_id for task in running)
    text = lack_of_capacity(service, placed, ours.created_at, expected.strategy) if ours else ""
    if not text:
        return None
    overdue = Verdict.FAIL if expected.only_capacity else Verdict.INCONCLUSIVE
    return Measurement("capacity", Outcome.WAITING, text, "gates#no-capacity", overdue=overdue)


def _strange(task: Task, expected: Expectation) -> list[str]:
    if task.task_definition_arn != expected.task_definition_arn:
        return [f"runs {_short(task.task_definition_arn)}"]
    return _wrong(task, expected)


def _wrong(task: Task, expected: Expectation) -> list[str]:
    if task.architecture is not None and task.architecture.upper() != expected.architecture:
        return [f"reports {task.architecture}"]
    digest = _digest(task, expected.container)
    return [f"runs image {digest}"] if digest is not None and digest not in expected.digests else []


def _digest(task: Task, container: str) -> str | None:
    return next((item.image_digest for item in task.containers if item.name == container), None)


def _launch_type(service: Service, running: Sequence[Task], launch_type: str) -> Measurement:
    evidence = (("service launch type", str(service.launch_type)), ("strategy items", str(len(service.strategy))))
    if service.launch_type != launch_type or service.strategy:
        text = f"the service is not on launch type {launch_type}"
        return Measurement("capacity", Outcome.WAITING, text, "gates#capacity", evidence)
    left = [task for task in running if task.provider]
    if left:
        text = f"{len(left)} tasks still run on a capacity provider"
        return Measurement("capacity", Outcome.WAITING, text, "gates#capacity", evidence)
    return Measurement("capacity", Outcome.PASS, f"launch type {launch_type}", "gates#capacity", evidence)


def _deployment(
    outcome: Outcome, text: str, evidence: tuple[tuple[str, str], ...], *, final: bool = False
) -> Measurement:
    return Measurement("deployment", outcome, text, "gates#deployment", evidence, final=final)


def _why(told: Sequence[ServiceDeployment]) -> str:
    """Return what ECS says about the newest service deployment that does not go as it should (facts F17)."""
    if not told or told[0].status in _GOES_ON:
        return ""
    return f"; service deployment {told[0].status}: {told[0].status_reason or 'ECS gives no reason'}"


_GOES_ON = frozenset({"PENDING", "IN_PROGRESS", "SUCCESSFUL"})


def _deployment_evidence(
    service: Service, ours: Deployment | None, told: Sequence[ServiceDeployment]
) -> tuple[tuple[str, str], ...]:
    shown = [
        (item.id, f"{item.status} {item.rollout_state or ''} {_short(item.task_definition_arn)}")
        for item in service.deployments
    ]
    events = [("event", event.message) for event in service.events[:3]]
    known = [("service deployment", f"{item.status} {item.status_reason}".strip()) for item in told[:1]]
    return (("ours", ours.id if ours else "gone"), *shown, *known, *events)


def _task_evidence(running: Sequence[Task], expected: Expectation) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            _short(task.arn),
            (
                f"{task.architecture or 'architecture not reported'} {_short(task.task_definition_arn)} "
                f"{_digest(task, expected.container) or 'digest not reported'}"
            ),
        )
        for task in running
    )


def _short(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
