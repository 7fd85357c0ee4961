"""How often AWS lets itself be asked, and how long a call has to wait so that this stays below it.

AWS throttles an account's calls in a region by token buckets, one for a group of operations: a bucket holds ``burst``
calls and is refilled by ``refill`` calls a second (ECS API reference, "Request throttling for the Amazon ECS API").
This tool takes ``SHARE`` of each, so that other tools in the account always find room.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SHARE = 0.9
"""The part of every bucket that this tool takes; the rest, and whatever it leaves unused, is for everybody else."""

LONGEST_QUEUE = 300.0
"""Seconds that calls may have been promised ahead; more than that is a clock that went back, not a queue."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket's size in calls, and how many calls a second flow into it."""

    burst: float
    refill: float

    @property
    def longest(self) -> float:
        """How far ahead, in seconds, a bucket may be promised."""
        return self.burst / self.refill + LONGEST_QUEUE

    def share(self, part: float) -> Rate:
        """Return a part of the bucket, never less than one call of burst."""
        return Rate(max(1.0, self.burst * part), self.refill * part)


@dataclass(frozen=True, slots=True)
class ApiGroup:
    """Operations that AWS counts together: ``name`` is the key of their bucket, ``source`` where the rate is from."""

    name: str
    rate: Rate
    source: str

    @property
    def paced(self) -> Rate:
        """What this tool takes of it."""
        return self.rate.share(SHARE)


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """A bucket's state: ``full_at`` is when it is full again, in seconds of whatever clock counts.

    A call moves that moment ahead by the time which refills one call; it may be made as soon as the bucket lacks no
    more than its whole size. So what is granted within any t seconds never exceeds ``burst + refill * t``.
    """

    full_at: float = 0.0

    def take(self, rate: Rate, calls: int, now: float) -> TokenBucket:
        """Return the bucket after ``calls`` were promised, one after the other."""
        return TokenBucket(max(now, min(self.full_at, now + rate.longest)) + calls / rate.refill)

    def waits(self, rate: Rate, calls: int, now: float) -> tuple[float, ...]:
        """Return how many seconds from ``now`` each of the last ``calls`` promised has to wait, the first one first."""
        return tuple(
            max(0.0, self.full_at - later / rate.refill - rate.burst / rate.refill - now)
            for later in range(calls - 1, -1, -1)
        )


_ECS = "ECS API reference, Request throttling (facts F21)"
_GROUPS = (
    (ApiGroup("ecs service writes", Rate(50, 5), _ECS), ("ecs:UpdateService",)),
    (ApiGroup("ecs service reads", Rate(100, 20), _ECS), ("ecs:DescribeServices", "ecs:ListServices")),
    (ApiGroup("ecs task reads", Rate(100, 20), _ECS), ("ecs:DescribeTasks", "ecs:ListTasks")),
    (
        ApiGroup("ecs service deployment reads", Rate(50, 20), _ECS),
        ("ecs:DescribeServiceDeployments", "ecs:ListServiceDeployments"),
    ),
    (ApiGroup("ecs service revision reads", Rate(50, 20), _ECS), ("ecs:DescribeServiceRevisions",)),
    (ApiGroup("ecs task definition reads", Rate(50, 20), _ECS), ("ecs:DescribeTaskDefinition",)),
    (ApiGroup("ecs cluster reads", Rate(50, 20), _ECS), ("ecs:DescribeClusters",)),
    (
        ApiGroup("cloudwatch DescribeAlarms", Rate(9, 9), "CloudWatch user guide, service quotas: 9 a second"),
        ("cloudwatch:DescribeAlarms",),
    ),
)

GROUPS: Mapping[str, ApiGroup] = {name: group for group, names in _GROUPS for name in names}
"""The group of every operation whose rate AWS documents."""

_EC2 = Rate(100, 20)
_IAM = Rate(10, 5)
_OTHERS = Rate(50, 20)


def api_group(operation: str) -> ApiGroup:
    """Return the group of ``service:Operation``; one whose rate AWS does not tell is a group by itself, asked gently.

    EC2 counts each operation apart (EC2 developer guide, "Request throttling for the Amazon EC2 API").
    """
    known = GROUPS.get(operation)
    if known is not None:
        return known
    service = operation.partition(":")[0]
    if service == "ec2":
        return ApiGroup(operation, _EC2, "EC2 developer guide, non-mutating actions: 100, 20 a second")
    if service == "iam":
        return ApiGroup(operation, _IAM, "not documented; simulations are known to be throttled early")
    return ApiGroup(operation, _OTHERS, "not documented; asked as gently as most reads of ECS")


def least_seconds(calls: Mapping[str, int], part: float = 1.0) -> float:
    """Return the least time in which these calls, counted by operation, fit through the buckets, full at first."""
    return max((seconds for _, seconds in _by_group(calls, part)), default=0.0)


def _by_group(calls: Mapping[str, int], part: float) -> Iterator[tuple[str, float]]:
    counts: dict[ApiGroup, int] = {}
    for operation, count in calls.items():
        group = api_group(operation)
        counts[group] = counts.get(group, 0) + count
    for group, count in counts.items():
        rate = group.rate.share(part)
        yield group.name, max(0.0, (count - rate.burst) / rate.refill)
