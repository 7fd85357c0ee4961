"""DescribeTargetHealth for the target groups that an ECS service owns."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from migrate.sandbox.front import rollout
from migrate.sandbox.front.faults import FaultKind
from migrate.sandbox.front.http import Request, Response
from migrate.sandbox.front.records import Target

if TYPE_CHECKING:
    from migrate.sandbox.front.records import Service, Task
    from migrate.sandbox.front.world import World

_FAILED = "Health checks failed"
_DESCRIPTIONS = {
    "Elb.RegistrationInProgress": "Target registration is in progress",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
}
_NAMESPACE = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"


def describe_target_health(world: World, request: Request) -> Response | None:
    """Answer for a target group of one of our services; None for any other request."""
    form = parse_qs(request.body.decode("latin-1"))
    if form.get("Action") != ["DescribeTargetHealth"]:
        return None
    group = form.get("TargetGroupArn", [""])[0]
    owners = [
        (service, port)
        for service in world.services.values()
        for arn, port in service.target_groups()
        if arn == group and service.status != "INACTIVE"
    ]
    if not owners:
        return None
    rollout.advance_all(world)
    members = []
    for service, port in owners:
        fault = world.faults.find(FaultKind.TARGET_UNHEALTHY, service.name)
        if world.settings.engine is not None:
            members += [_live_member(task, group) for task in _registered(world, service, group)]
            continue
        running = [task for task in world.tasks_of(service) if task.running]
        meant = [task for task in running if fault and fault.strikes(task.started_by)]
        sick = meant if fault and fault.count < 0 else meant[: fault.count] if fault else []
        for task in running:
            reason = (fault.reason or "Target.FailedHealthChecks") if fault and task in sick else ""
            members.append(_member(task.address, port, reason))
    body = (
        f'<DescribeTargetHealthResponse xmlns="{_NAMESPACE}"><DescribeTargetHealthResult><TargetHealthDescriptions>'
        f"{''.join(members)}</TargetHealthDescriptions></DescribeTargetHealthResult><ResponseMetadata><RequestId>"
        f"{uuid.uuid4()}</RequestId></ResponseMetadata></DescribeTargetHealthResponse>"
    )
    return Response(200, {"content-type": "text/xml"}, body.encode())


def _registered(world: World, service: Service, group: str) -> list[Task]:
    """All tasks of a service that are targets of the group, also those that are draining."""
    return [
        task
        for task in world.tasks.values()
        if task.live is not None
        and task.group == f"service:{service.name}"
        and task.cluster == service.cluster_arn
        and group in task.live.targets
    ]


def _live_member(task: Task, group: str) -> str:
    target = task.live.targets[group] if task.live else Target(0)
    return _member(task.address, target.port, target.reason, target.state)


def _member(address: str, port: int, reason: str, state: str = "") -> str:
    told = f"<State>{state or ('unhealthy' if reason else 'healthy')}</State>"
    if reason:
        told += (
            f"<Reason>{escape(reason)}</Reason><Description>{escape(_DESCRIPTIONS.get(reason, _FAILED))}</Description>"
        )
    target = f"<Target><Id>{address}</Id><Port>{port}</Port><AvailabilityZone>us-east-1a</AvailabilityZone></Target>"
    return f"<member>{target}<HealthCheckPort>{port}</HealthCheckPort><TargetHealth>{told}</TargetHealth></member>"
