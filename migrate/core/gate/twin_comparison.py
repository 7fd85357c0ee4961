"""The check `twin`: whether the ARM64 twin does as well as the amd64 tasks beside it, at the same time.

Both serve the same work in the same minutes, so that what hits both speaks against neither. How tasks stop and what
their targets say decide; utilization decides only where it is far apart and near the end of what a task has.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from migrate.core.facts import Service, TargetHealth, Task
from migrate.core.gate.answers import Series
from migrate.core.gate.gate import Measurement, Outcome
from migrate.core.gate.metric_judge import compare
from migrate.core.gate.stopped_tasks import FAILURES, StopCause, stop_cause
from migrate.core.gate_checks import BaselineComparison, Direction, MetricSource

CHECK = "twin"
UTILIZATION = ("CPUUtilization", "MemoryUtilization")
"""Metrics of AWS/ECS by cluster and service, in percent of what the tasks reserve, once a minute (ECS developer guide,
"Amazon ECS CloudWatch metrics")."""
CHANCE = 0.01
"""Stops that equal tasks would show less often than this are the twin's own doing."""
HEADROOM = 80.0
"""Percent of its reservation that a twin may use however much more than the amd64 tasks that is."""

_REMEMBERED = timedelta(hours=1)
"""How long ECS shows a stopped task at least (ECS API reference, ListTasks)."""
_RULE = BaselineComparison(Direction.INCREASE, tolerance=1.0)
"""Surely more (Mann-Whitney U), and more than twice as much."""
_RUNBOOK = "gates#twin"
_KINDS: Mapping[StopCause, str] = {
    StopCause.OUT_OF_MEMORY: "out of memory",
    StopCause.HEALTH_CHECK: "failed health checks",
}
_CRASHED = "crashed or did not start"


@dataclass(frozen=True, slots=True)
class Side:
    """One of both services: its tasks as they are, and those that stopped."""

    service: Service
    tasks: tuple[Task, ...]
    stopped: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """The values of one metric of both services over the same time."""

    metric: str
    twin: Series
    beside: Series


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing that was compared; ``good`` is None where it could not be."""

    good: bool | None
    text: str
    evidence: tuple[tuple[str, str], ...] = ()


def usage_sources(service: Service) -> tuple[MetricSource, ...]:
    """Return the metrics that ECS itself sends for a service."""
    dimensions = (("ClusterName", service.cluster_arn.rpartition("/")[2]), ("ServiceName", service.name))
    return tuple(MetricSource("AWS/ECS", name, "Average", dimensions) for name in UTILIZATION)


def twin_check(
    twin: Side,
    beside: Side,
    targets: Sequence[TargetHealth],
    usage: Sequence[Usage],
    times: tuple[datetime, datetime],
    *,
    deployed: bool,
    unread: str = "",
) -> Measurement:
    """Judge the twin against the service beside it; ``times`` are when the gate began, and now.

    ``unread`` says why there is no ``usage``. Before the twin is ``deployed``, only stopped tasks can decide.
    """
    if not beside.tasks:
        text = f"nothing to compare with: {beside.service.name} runs no task"
        return Measurement(CHECK, Outcome.INCONCLUSIVE if deployed else Outcome.WAITING, text, _RUNBOOK)
    stops = _stops(twin, beside, *times)
    if not deployed:
        outcome = Outcome.FAIL if stops.good is False else Outcome.WAITING
        text = stops.text if stops.good is False else f"compared once it is deployed; so far {stops.text}"
        return Measurement(CHECK, outcome, text, _RUNBOOK, stops.evidence)
    compared = [stops, *_targets(twin, beside, targets), *(_used(item) for item in usage)]
    if unread:
        compared.append(Compared(None, f"utilization: not compared, {unread}"))
    worse = [item.text for item in compared if item.good is False]
    text = "; ".join(worse or [item.text for item in compared])
    evidence = tuple(pair for item in compared for pair in item.evidence)
    return Measurement(CHECK, Outcome.FAIL if worse else Outcome.PASS, text, _RUNBOOK, evidence)


def unlikely(twin: int, beside: int, share: float) -> float:
    """Return how likely so many of all stops or more would be the twin's, were its tasks like the others.

    ``share`` is its part of all tasks. Given their number, stops of equal tasks fall on both sides by a binomial
    distribution: the exact test of two Poisson rates (Przyborowski and Wilenski, Biometrika 31, 1940).
    """
    total = twin + beside
    return math.fsum(
        math.comb(total, count) * share**count * (1 - share) ** (total - count) for count in range(twin, total + 1)
    )


def _stops(twin: Side, beside: Side, began: datetime, now: datetime) -> Compared:
    since = max(began, now - _REMEMBERED)
    ours, theirs = _counted(twin, since), _counted(beside, since)
    here, there = twin.service.desired_count, beside.service.desired_count
    share = here / (here + there) if here + there else 0.0
    pairs = {kind: (ours[kind], theirs[kind]) for kind in sorted({*ours, *theirs})}
    pairs["stopped by themselves"] = (ours.total(), theirs.total())
    chances = {kind: unlikely(*pair, share) for kind, pair in pairs.items()}
    evidence = tuple(
        (kind, f"twin {pairs[kind][0]} of {here}, service {pairs[kind][1]} of {there}, by chance {chances[kind]:.2g}")
        for kind in pairs
    )
    worst = min(pairs, key=lambda kind: chances[kind])
    mine, others = pairs[worst]
    told = f"since {since:%H:%M:%S} {mine} tasks of the twin ({here} desired) {worst}, {others} of {there} amd64 tasks"
    if mine and chances[worst] < CHANCE:
        return Compared(good=False, text=f"{told}: by chance in {chances[worst]:.1%} of cases", evidence=evidence)
    return Compared(good=True, text=told, evidence=evidence)


def _counted(side: Side, since: datetime) -> Counter[str]:
    causes = [stop_cause(task) for task in side.stopped if task.stopped_at is not None and task.stopped_at >= since]
    return Counter(_KINDS.get(cause, _CRASHED) for cause in causes if cause in FAILURES)


def _targets(twin: Side, beside: Side, targets: Sequence[TargetHealth]) -> Iterator[Compared]:
    if not twin.service.target_group_arns:
        return
    ours, theirs = _healthy(twin, targets), _healthy(beside, targets)
    if not ours or not theirs:
        yield Compared(None, "targets: not compared, no target of one of both is in service")
        return
    told = f"{sum(ours)} of {len(ours)} targets of the twin healthy, {sum(theirs)} of {len(theirs)} of the service"
    evidence = (("targets", told),)
    yield Compared(sum(ours) * len(theirs) >= sum(theirs) * len(ours), told, evidence)


def _healthy(side: Side, targets: Sequence[TargetHealth]) -> list[bool]:
    """Return of each target of a side whether it is healthy; those that come or go say nothing."""
    addresses = {address for task in side.tasks for address in task.addresses}
    return [
        target.state == "healthy"
        for target in targets
        if target.state not in {"draining", "unused", "initial"} and _is_of(target, addresses)
    ]


def _is_of(target: TargetHealth, addresses: Collection[str]) -> bool:
    """Tell whether a target is one of the addresses, with a port or without; IPv6 ones hold colons themselves."""
    return target.target in addresses or target.target.rpartition(":")[0] in addresses


def _used(usage: Usage) -> Compared:
    ours, theirs = ([value for _, value in series if math.isfinite(value)] for series in (usage.twin, usage.beside))
    if min(len(ours), len(theirs)) < _RULE.minimum:
        count = f"{len(ours)} and {len(theirs)} values" if ours or theirs else "no data"
        return Compared(None, f"{usage.metric}: not compared, {count}", ((usage.metric, f"not compared, {count}"),))
    found = compare(theirs, ours, _RULE)
    means = f"twin {found.current_mean:.1f} %, service {found.baseline_mean:.1f} %"
    judged = f"{means}, p {found.test.p_value:.2g}, effect {found.test.effect:.2f}"
    good = not found.is_worse or found.current_mean <= HEADROOM
    far = " (more than twice as much)" if found.is_worse else ""
    return Compared(good, f"{usage.metric} {means}{far}", ((usage.metric, judged),))
