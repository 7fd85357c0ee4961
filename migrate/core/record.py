"""The record: what a service was before it was touched, and what the stages have made since.

Together with the operator's settings and a stage it determines the desired state (desired_state.py). What a stage
has made (an index, a revision) stays on record after a rollback, so that nothing in use is ever deleted and a second
try makes nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from migrate.core.facts import Account, Cluster, Service, Strategy, TaskDefinition
from migrate.core.image.index import ImageReference
from migrate.core.stages import Position, Stage
from migrate.core.twin import Twin, TwinPhase

UNTOUCHED = Position()


@dataclass(frozen=True, slots=True)
class OriginalImage:
    """The manifest behind the tag before anything was changed.

    ``manifest`` is the body byte for byte (decoded as UTF-8; a manifest is JSON); a tag restored from it has the same
    digest (facts F32). ``guard_tag`` keeps ECR from expiring it (facts F31); it is
    empty where the image is in no ECR repository of ours (mode external).
    """

    reference: ImageReference
    repository: str
    digest: str
    media_type: str
    manifest: str
    guard_tag: str
    children: tuple[tuple[str, str], ...] = ()
    """Platform and digest of each runnable child, where the tag already held an index (case C03)."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The way back: the service, its task definition, its cluster and its image as they were found."""

    recorded_at: datetime
    account: Account
    service: Service
    task_definition: TaskDefinition
    cluster: Cluster
    image: OriginalImage


@dataclass(frozen=True, slots=True)
class BuiltIndex:
    """The multi-platform index that stage 1 made (or, in mode external, found)."""

    digest: str
    media_type: str
    children: tuple[tuple[str, str], ...]
    """Platform (``linux/arm64``) and digest of each runnable child."""


@dataclass(frozen=True, slots=True)
class Record:
    """All that is remembered of one service. ``version`` grows with every change and guards concurrent writers."""

    baseline: Baseline
    position: Position = UNTOUCHED
    adopted: bool = False
    shelved: bool = False
    """Whether a build was ever begun: the image stack may hold an image and an index from then on."""
    published: bool = False
    """Whether the image stack may have let the service's tag point at the index."""
    index: BuiltIndex | None = None
    arm64_task_definition_arn: str | None = None
    replacement_task_definition_arn: str | None = None
    """A copy of the original revision, registered because the original is no longer ACTIVE (case C32)."""
    superseded_revisions: tuple[str, ...] = ()
    """Revisions of ours that stopped being ACTIVE and were registered again: a rollback by ECS may still run one."""
    last_deployment_id: str | None = None
    """The deployment that our last act started and that ended as PRIMARY; another one is somebody else's."""
    applied_capacity: Strategy = ()
    """The strategy that stage 3 last proved: the settings may name another one since, and it is still ours."""
    capacity_way: tuple[Strategy, ...] = ()
    """While stage 3 is begun: the strategy that it set out from, and each step, written down before it is taken."""
    twin: Twin | None = None
    """The second service that stage 2 has made, from before it is made until it is gone (modes canary and mixed)."""
    former: tuple[Baseline, ...] = ()
    """Baselines that a new one has followed, oldest first: history, and no way back (case C43)."""
    found_capacity: Strategy = ()
    """A strategy of ours that a new baseline was found on; stage 0 takes it back to the first one."""
    owned: bool = False
    """Whether somebody else's code deploys the service: this tool then waits for its deployments and judges them."""
    in_program: bool = False
    """Whether a Pulumi program of the team's holds the service: this tool configures and runs it."""
    known_count: int | None = None
    """The desired count that an owner's deployment may not change; None where it is not compared."""
    over: bool = False
    """Whether the migration was finished: all else is history then, and the next one starts afresh."""
    version: int = 0
    """0 until first saved; the store counts it up and refuses to overwrite a version that it did not hand out."""

    @property
    def arm64_from_the_start(self) -> bool:
        """Whether the service was ARM64 before it was touched: stages 1 and 2 then only prove what runs (case C53)."""
        return self.baseline.task_definition.runtime_platform.cpu_architecture == "ARM64"

    @property
    def own_revisions(self) -> frozenset[str]:
        """The ARNs of the original and of every revision of ours."""
        named = (
            self.baseline.task_definition.arn,
            self.arm64_task_definition_arn,
            self.replacement_task_definition_arn,
            *self.superseded_revisions,
        )
        return frozenset(arn for arn in named if arn)

    def runs_arm64(self, stage: Stage) -> bool:
        """Whether the service itself runs ARM64 at ``stage``: not while its twin alone does."""
        if self.arm64_from_the_start:
            return True
        return stage >= Stage.ARCHITECTURE and (self.twin is None or self.twin.phase is not TwinPhase.ALONE)

    def entered(self, stage: Stage) -> Record:
        """Return the record with ``stage`` begun and everything above what is below it no longer proven."""
        proven = min(self.position.proven, stage.before)
        way = self.capacity_way if self.position.entered is stage else ()
        return replace(self, position=Position(proven=Stage(proven), entered=stage), capacity_way=way)

    def running_digests(self, stage: Stage, platform: str) -> tuple[str, ...]:
        """Return the digests that a container may report at ``stage``: the index's or its child's (facts F14)."""
        image = self.index if stage >= Stage.IMAGE and self.index is not None else self.baseline.image
        return (image.digest, *(digest for name, digest in image.children if name == platform))

    def reached(self, stage: Stage, deployment_id: str | None) -> Record:
        """Return the record with ``stage`` proven by ``deployment_id`` and nothing begun."""
        position = Position(proven=stage, entered=None)
        deployment = deployment_id or self.last_deployment_id
        return replace(self, position=position, last_deployment_id=deployment, capacity_way=())

    def made(self, arm64: str | None, copy: str | None) -> Record:
        """Return the record with the revisions that the stack has registered; None where it has registered none."""
        before = (self.arm64_task_definition_arn, self.replacement_task_definition_arn)
        now = (arm64 or before[0], copy or before[1])
        left = tuple(arn for arn in before if arn and arn not in now)
        return replace(
            self,
            arm64_task_definition_arn=now[0],
            replacement_task_definition_arn=now[1],
            superseded_revisions=(*self.superseded_revisions, *left),
        )

    @property
    def capacity_step(self) -> Strategy | None:
        """The step of stage 3 that was begun last; None where none was."""
        return self.capacity_way[-1] if len(self.capacity_way) > 1 else None


def still_open(record: Record | None) -> Record | None:
    """Return a record, None where there is none or its migration was finished."""
    return None if record is None or record.over else record
