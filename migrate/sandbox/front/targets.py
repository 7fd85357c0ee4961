"""DescribeTargetHealth for the target groups that an ECS service owns."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from migrate.sandbox.front import rollout
from migrate.sandbox.front.faults import FaultKind
from migrate.sandbox.front.http import Request, Response

if TYPE_CHECKING:
    from migrate.sandbox.front.world import World

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
        running = [task for task in world.tasks_of(service) if task.running]
        sick = len(running) if fault and fault.count < 0 else fault.count if fault else 0
        for index, task in enumerate(running):
            reason = (fault.reason or "Target.FailedHealthChecks") if fault and index < sick else ""
            members.append(_member(task.address, port, reason))
    body = (
        f'<DescribeTargetHealthResponse xmlns="{_NAMESPACE}"><DescribeTargetHealthResult><TargetHealthDescriptions>'
        f"{''.join(members)}</TargetHealthDescriptions></DescribeTargetHealthResult><ResponseMetadata><RequestId>"
        f"{uuid.uuid4()}</RequestId></ResponseMetadata></DescribeTargetHealthResponse>"
    )
    return Response(200, {"content-type": "text/xml"}, body.encode())


def _member(address: str, port: int, reason: str) -> str:
    state = "<State>healthy</State>"
    if reason:
        why = f"<Reason>{escape(reason)}</Reason><Description>Health checks failed</Description>"
        state = f"<State>unhealthy</State>{why}"
    target = f"<Target><Id>{address}</Id><Port>{port}</Port><AvailabilityZone>us-east-1a</AvailabilityZone></Target>"
    return f"<member>{target}<HealthCheckPort>{port}</HealthCheckPort><TargetHealth>{state}</TargetHealth></member>"
