"""Reads what load balancers say about their targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from migrate.adapters.aws.errors import translated
from migrate.adapters.aws.session import AwsSession
from migrate.core.facts import TargetHealth

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import TargetHealthDescriptionTypeDef


DEREGISTRATION_DELAY = "deregistration_delay.timeout_seconds"
"""The attribute of every kind of target group (ELBv2 API, TargetGroupAttribute)."""


def target_health(session: AwsSession, target_group_arns: Sequence[str]) -> tuple[TargetHealth, ...]:
    """Return the health of every target of the groups, one call a group.

    Raises NotFoundError for a group that does not exist, AccessError.
    """
    found: list[TargetHealth] = []
    for arn in target_group_arns:
        with translated("elbv2", session.region.name):
            answer = session.elbv2().describe_target_health(TargetGroupArn=arn)
        found.extend(parsed(arn, answer["TargetHealthDescriptions"]))
    return tuple(found)


def deregistration_delays(session: AwsSession, target_group_arns: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Return the seconds that each group lets connections drain, one call a group; a group that names none is left out.

    Raises NotFoundError for a group that does not exist, AccessError.
    """
    found = []
    for arn in target_group_arns:
        with translated("elbv2", session.region.name):
            answer = session.elbv2().describe_target_group_attributes(TargetGroupArn=arn)
        attributes = {item.get("Key"): item.get("Value", "") for item in answer["Attributes"]}
        seconds = attributes.get(DEREGISTRATION_DELAY, "")
        if seconds.isdecimal():
            found.append((arn, int(seconds)))
    return tuple(found)


def parsed(target_group_arn: str, answer: Iterable[TargetHealthDescriptionTypeDef]) -> tuple[TargetHealth, ...]:
    """Return the targets of one DescribeTargetHealth answer, sorted; the reason is code and text of the API."""
    found = []
    for item in answer:
        target, health = item.get("Target", {"Id": ""}), item.get("TargetHealth", {})
        port = target.get("Port")
        found.append(
            TargetHealth(
                target_group_arn=target_group_arn,
                target=f"{target['Id']}:{port}" if port else target["Id"],
                state=health.get("State", "unavailable"),
                reason=": ".join(part for part in (health.get("Reason"), health.get("Description")) if part),
            )
        )
    return tuple(sorted(found, key=lambda health: health.target))
