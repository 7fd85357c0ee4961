"""What minimum and maximum percent allow ECS to do during a rolling deployment (case C46)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_MINIMUM = 100
DEFAULT_MAXIMUM = 200
"""Of a REPLICA service (ECS API, DeploymentConfiguration)."""


class Rollout(StrEnum):
    """How a rolling deployment goes."""

    OK = "ok"
    DOWNTIME = "downtime"
    DEAD = "dead"
    NOT_EXERCISED = "not exercised"


@dataclass(frozen=True, slots=True)
class RolloutRoom:
    """Tasks: ``keep`` of ``desired`` must stay running, at most ``most`` may run or start (facts F22)."""

    desired: int
    keep: int
    most: int

    @property
    def may_start(self) -> int:
        """How many new tasks may start before an old one stops."""
        return max(self.most - self.desired, 0)

    @property
    def may_stop(self) -> int:
        """How many old tasks may stop before a new one starts."""
        return max(self.desired - self.keep, 0)

    @property
    def rollout(self) -> Rollout:
        """The verdict: dead where ECS may neither start nor stop a task, downtime where all may stop at once."""
        if self.desired == 0:
            return Rollout.NOT_EXERCISED
        if not self.may_start and not self.may_stop:
            return Rollout.DEAD
        return Rollout.DOWNTIME if self.keep == 0 else Rollout.OK


def rollout_room(desired: int, minimum_percent: int, maximum_percent: int) -> RolloutRoom:
    """Return the room of a deployment: the minimum rounds up, the maximum down (facts F22)."""
    return RolloutRoom(desired, keep=-(-desired * minimum_percent // 100), most=desired * maximum_percent // 100)


def may_rebalance(maximum_percent: int) -> bool:
    """Tell whether ECS can rebalance zones: it starts before it stops, so 100 is not allowed.

    Source: ECS developer guide, "Balancing an Amazon ECS service across Availability Zones".
    """
    return maximum_percent > 100  # noqa: PLR2004
