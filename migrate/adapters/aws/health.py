"""The port HealthReader: load balancers and alarms side by side."""

from __future__ import annotations

from collections.abc import Sequence

from migrate.adapters.aws import cloudwatch, elbv2
from migrate.adapters.aws.session import AwsSession
from migrate.core.facts import Alarm, TargetHealth


class AwsHealthReader:
    """The port HealthReader over boto3."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def target_health(self, target_group_arns: Sequence[str]) -> tuple[TargetHealth, ...]:
        """Return the health of every target of the groups. Raises NotFoundError, AccessError."""
        return elbv2.target_health(self._session, target_group_arns)

    def alarms(self, names: Sequence[str]) -> tuple[Alarm, ...]:
        """Return the alarms by name; a name without an alarm is left out. Raises AccessError."""
        return self._session.once(
            "cloudwatch:DescribeAlarms", tuple(names), lambda: cloudwatch.alarms(self._session, names)
        )
