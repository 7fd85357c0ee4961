"""How a rolling deployment goes on: tasks start, old ones leave, the circuit breaker trips, a rollback runs.

After Amazon ECS Developer Guide, "Deploy Amazon ECS services by replacing tasks" and "How the Amazon ECS deployment
circuit breaker detects failures" (facts F15, F22).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from migrate.sandbox.front.faults import FaultKind
from migrate.sandbox.front.placement import most_loaded
from migrate.sandbox.front.records import Deployment, Rollout, Status
from migrate.sandbox.front.world import count

if TYPE_CHECKING:
    from migrate.sandbox.front.records import Live, Service, ServiceDeployment, Task
    from migrate.sandbox.front.world import World

_LEAST_FAILURES, _MOST_FAILURES = 3, 200
_RETRY_SECONDS = 10.0
_KEPT_STOPPED_SECONDS = 3600.0  # ECS shows stopped tasks for at least an hour
_FAST_RETRIES = 5
_STUCK = "was unable to stop or start tasks during a deployment because of the service deployment configuration. "
_NO_CAPACITY = (
    "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a "
    "different availability zone. For more information, see the Troubleshooting section of the Amazon ECS Developer "
    "Guide."
)


def breaker_threshold(desired: int) -> int:
    """Failed tasks at which the circuit breaker trips: half the desired count, within 3 and 200 (facts F15)."""
    return min(max(math.ceil(desired / 2), _LEAST_FAILURES), _MOST_FAILURES)


def settle(task: Task, now: float) -> None:
    """Move one task along its life: RUNNING when its time has come, or stopped when it cannot start."""
    if task.live is not None:
        _settle_live(task, task.live, now)
        return
    if not task.alive or task.running or now < task.ready:
        return
    if task.failure and task.exit_code is None:
        task.stop(now, "TaskFailedToStart", task.failure)
        return
    task.status, task.started = "RUNNING", now
    if task.failure:
        task.stop(now, "EssentialContainerExited", task.failure)


def _settle_live(task: Task, live: Live, now: float) -> None:
    if not task.alive:
        return
    if not task.running and live.status == "RUNNING":
        task.status, task.started = "RUNNING", now
    if live.outcome is not None:
        task.stop(now, *live.outcome)


def advance_all(world: World) -> None:
    """Bring every service and task up to now, and forget tasks that stopped long ago."""
    now = world.clock()
    for service in world.services.values():
        advance(world, service, now)
    for task in world.tasks.values():
        if task.alive and task.group.startswith("family:"):
            settle(task, now)
    gone = [arn for arn, task in world.tasks.items() if task.stopped and now - task.stopped > _KEPT_STOPPED_SECONDS]
    for arn in gone:
        del world.tasks[arn]


def advance(world: World, service: Service, now: float) -> None:
    """Bring one service up to ``now``."""
    if service.status == "INACTIVE":
        return
    for task in world.tasks_of(service):
        settle(task, now)
        if not task.alive:
            _count_failure(service, task, now)
    if service.status == "DRAINING":
        if not world.tasks_of(service):
            service.status, service.deployments = "INACTIVE", []
        return
    _interrupt(world, service, now)
    _trip(world, service, now)
    _start(world, service, now)
    _stop_surplus(world, service, now)
    _leave_old(world, service, now)
    _drop_drained(world, service)
    _complete(world, service, now)


def _count_failure(service: Service, task: Task, now: float) -> None:
    deployment = next((item for item in service.deployments if item.id == task.started_by), None)
    if deployment is not None:
        deployment.failed += 1
        deployment.updated = now
        watched = service.breaker.get("enable") and deployment.state is Rollout.IN_PROGRESS
        if deployment.failed > _FAST_RETRIES and not watched:
            deployment.retry_at = now + _RETRY_SECONDS


def _interrupt(world: World, service: Service, now: float) -> None:
    running = [task for task in world.tasks_of(service) if task.running]
    spot = [task for task in running if task.provider == "FARGATE_SPOT"]
    interruption = world.faults.take(FaultKind.SPOT_INTERRUPTION, service.name) if spot else None
    for task in spot[: interruption.count] if interruption else ():
        task.stop(now, "SpotInterruption", "Your Spot Task was interrupted.")
        service.steady = False
    end = world.faults.take(FaultKind.TASK_EXITS, service.name) if running else None
    if end is not None:
        for task in [task for task in running if end.strikes(task.started_by)][: end.count]:
            task.failure, task.exit_code = end.reason or "Essential container in task exited", end.exit_code
            task.stop(now, "EssentialContainerExited", task.failure)
            service.steady = False


def _trip(world: World, service: Service, now: float) -> None:
    deployment = service.primary
    tripped = deployment.failed >= breaker_threshold(deployment.desired)
    if service.breaker.get("enable") and tripped and deployment.state is Rollout.IN_PROGRESS:
        fail(world, service, now, "ECS deployment circuit breaker: tasks failed to start.", service.breaker)


def fail(world: World, service: Service, now: float, reason: str, how: dict[str, object]) -> None:
    """End the PRIMARY deployment as failed, and roll back when ``how["rollback"]`` says so."""
    deployment = service.primary
    deployment.state, deployment.reason, deployment.updated = Rollout.FAILED, reason, now
    tracked = tracking(service, deployment)
    world.tell(service, f"(deployment {deployment.id}) deployment failed: tasks failed to start.", now)
    if not how.get("rollback") or service.last_completed is None:
        # With no completed deployment to go back to, the deployment stalls (facts F15).
        if tracked is not None:
            tracked.finish(Status.STOPPED, now, reason)
        return
    roll_back(world, service, now, reason, "ECS deployment circuit breaker")


def roll_back(world: World, service: Service, now: float, reason: str, by: str) -> None:
    """Begin the deployment that brings the last completed one back; its running tasks and pinned digests are kept."""
    failed, good = service.primary, service.last_completed
    if good is None:
        return
    tracked = tracking(service, failed)
    if tracked is not None:
        tracked.status, tracked.updated, tracked.reason = Status.ROLLBACK_IN_PROGRESS, now, reason
        tracked.rolled_back_to, tracked.rollback_reason, tracked.rollback_started = good, reason, now
    service.definition, service.strategy, service.launch_type = good.definition, list(good.strategy), good.launch_type
    back = world.begin(service, now, reason=f"{by}: rolling back to deploymentId {good.id}.")
    back.pulls = good.pulls
    failed.state, failed.reason, failed.desired = Rollout.FAILED, reason, 0
    for task in world.tasks_of(service):
        if task.started_by == good.id:
            task.started_by = back.id
    service.deployments = [item for item in service.deployments if item is not good]
    service.past.append(good)
    world.tell(service, f"rolling back to deployment {good.id}.", now)


def tracking(service: Service, deployment: Deployment) -> ServiceDeployment | None:
    """Return the service deployment that belongs to a deployment."""
    return next((item for item in service.history if item.deployment is deployment), None)


def _start(world: World, service: Service, now: float) -> None:
    deployment = service.primary
    if deployment.state is Rollout.FAILED or now < deployment.retry_at:
        return
    living = world.tasks_of(service)
    mine = [task for task in living if task.started_by == deployment.id]
    ceiling = service.desired * service.percent("maximumPercent", 200) // 100
    wanted = min(service.desired - len(mine), max(ceiling, len(mine)) - len(living))
    if len(living) == len(mine):
        wanted = service.desired - len(mine)
    started = []
    for _ in range(max(wanted, 0)):
        task = world.place(service, deployment)
        if task is None:
            _tell_once(world, service, deployment, _NO_CAPACITY, now)
            break
        started.append(task)
    if started:
        service.steady = False
        names = ": ".join(f"(task {task.id})" for task in started)
        world.tell(service, f"has started {len(started)} tasks: {names}.", now)


def _tell_once(world: World, service: Service, deployment: Deployment, message: str, now: float) -> None:
    if not deployment.stuck_told:
        deployment.stuck_told = True
        world.tell(service, message, now)


def _stop_surplus(world: World, service: Service, now: float) -> None:
    deployment = service.primary
    mine = [task for task in world.tasks_of(service) if task.started_by == deployment.id]
    for _ in range(len(mine) - service.desired):
        placed = count(task.provider for task in mine if task.provider)
        provider = most_loaded(deployment.strategy, placed) if deployment.strategy else None
        task = next(task for task in reversed(mine) if provider is None or task.provider == provider)
        _scale_in(world, service, task, now)
        mine.remove(task)


def _scale_in(world: World, service: Service, task: Task, now: float) -> None:
    task.stop(now, "ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {service.primary.id})")
    world.tell(service, f"has stopped 1 running tasks: (task {task.id}).", now)


def _leave_old(world: World, service: Service, now: float) -> None:
    deployment = service.primary
    living = world.tasks_of(service)
    old = [task for task in living if task.started_by != deployment.id]
    if not old:
        return
    failed_ids = {item.id for item in service.deployments if item.state is Rollout.FAILED and not item.primary}
    floor = math.ceil(service.desired * service.percent("minimumHealthyPercent", 100) / 100)
    for task in [task for task in old if not task.running or task.started_by in failed_ids]:
        if deployment.state is not Rollout.FAILED:
            _scale_in(world, service, task, now)
            old.remove(task)
    running = sum(task.serving for task in world.tasks_of(service))
    if deployment.state is Rollout.FAILED:
        return
    for task in old[: max(running - floor, 0)]:
        _scale_in(world, service, task, now)
        living.remove(task)
    ceiling = service.desired * service.percent("maximumPercent", 200) // 100
    if running <= floor and len(living) >= ceiling and len(old) == len(living):
        _tell_once(world, service, deployment, f"{_STUCK}Update the minimumHealthyPercent or maximumPercent.", now)


def _drop_drained(world: World, service: Service) -> None:
    busy = {task.started_by for task in world.tasks_of(service)}
    gone = [item for item in service.deployments if not item.primary and item.id not in busy]
    service.deployments = [item for item in service.deployments if item not in gone]
    service.past.extend(gone)


def _complete(world: World, service: Service, now: float) -> None:
    deployment = service.primary
    running = sum(task.serving for task in world.tasks_of(service))
    steady = running == service.desired and len(world.tasks_of(service)) == running and len(service.deployments) == 1
    if not steady or now < deployment.completes_at:
        return
    if deployment.state is Rollout.IN_PROGRESS:
        deployment.state, deployment.updated = Rollout.COMPLETED, now
        deployment.reason = f"ECS deployment {deployment.id} completed."
        service.last_completed = deployment
        world.tell(service, f"(deployment {deployment.id}) deployment completed.", now)
        _finish_tracked(service, deployment, now)
    if not service.steady and deployment.state is Rollout.COMPLETED:
        service.steady = True
        world.tell(service, "has reached a steady state.", now)


def _finish_tracked(service: Service, deployment: Deployment, now: float) -> None:
    tracked = tracking(service, deployment)
    if tracked is not None:
        tracked.finish(Status.SUCCESSFUL, now, "")
    for item in service.history:
        if item.status is Status.ROLLBACK_IN_PROGRESS:
            item.finish(Status.ROLLBACK_SUCCESSFUL, now, item.reason)
