"""What a stage hands to its gate."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.core.desired_state import desired_state
from migrate.core.gate.checks import Expectation
from migrate.core.gate.gate import Assessment
from migrate.core.stack.preview import Act
from migrate.core.stages import Stage
from migrate.workflows.work import Work


@dataclass(frozen=True, slots=True)
class Judged:
    """A stage that was brought about and now has to prove itself on running tasks.

    ``assessment`` is there where a step on the way did not pass: the stage ends with it.
    """

    expectation: Expectation
    assessment: Assessment | None = None


def deployed(work: Work, stage: Stage, *, must_deploy: bool = False, step: str = "") -> Judged:
    """Bring the service stack to a stage; ``step`` names a step of it."""
    name = f"stage {stage.value} service stack{step}"
    work.follow_cluster(name)
    desired = desired_state(work.record, work.settings, stage)
    act = Act.BASELINE if stage is Stage.BASELINE else Act.SERVICE
    return Judged(work.expectation(work.up_service(name, desired, act, must_deploy=must_deploy)))
