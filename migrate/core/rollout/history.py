"""How long a service's deployments take, by those that it has had (ListServiceDeployments)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median_low

from migrate.core.facts import ServiceDeployment

SUCCESSFUL = "SUCCESSFUL"


@dataclass(frozen=True, slots=True)
class RolloutHistory:
    """The durations of ``count`` deployments that succeeded, from their start to their end."""

    count: int
    shortest: timedelta
    median: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long a stage takes: ``deploys`` deployments one after the other, and ``soak`` in all of its gates.

    ``history`` is None where the service has had no deployment to go by, or none could be read: nothing is guessed
    then. What is built and pushed in stage 1 comes on top.
    """

    deploys: int
    soak: timedelta
    history: RolloutHistory | None

    @property
    def likely(self) -> timedelta | None:
        """The time with deployments as long as the median one; None where there is nothing to go by."""
        if not self.deploys:
            return self.soak
        return None if self.history is None else self.soak + self.deploys * self.history.median


def rollout_history(deployments: Sequence[ServiceDeployment] | None) -> RolloutHistory | None:
    """Return how long the deployments took that succeeded; None where there are none.

    One that failed or was rolled back says nothing about how long the next one takes to succeed.
    """
    took = sorted(
        item.finished_at - item.started_at
        for item in deployments or ()
        if item.status == SUCCESSFUL and item.started_at is not None and item.finished_at is not None
    )
    if not took:
        return None
    return RolloutHistory(len(took), took[0], median_low(took), took[-1])
