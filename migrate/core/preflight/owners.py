"""Preflight of ownership: who else manages this service, and what he has to change so that the move lasts."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.cost.cost import ON_DEMAND
from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.owner.advice import owner_change
from migrate.core.owner.marks import Owner, OwnerMark, certain_owner, owner_marks
from migrate.core.preflight.finding import finding
from migrate.core.preflight.paths import in_service
from migrate.core.service_settings import has_short_arn
from migrate.core.settings import Settings

_LEAVE_IT = (
    ' Or set service.owner = "external": its owner then deploys each stage, and this tool waits for it and judges it.'
)
_WITHOUT_A_TASK_DEFINITION = frozenset({Owner.BEANSTALK, Owner.EXPRESS_MODE})
"""What owners of this kind deploy is not described by a revision and a strategy of theirs."""


def owner_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield the certain owner, or those that something suggests, each with the change in his own language."""
    marks = owner_marks(observation.service, observation.task_definition)
    if settings.service.is_program:
        # The team's program leaves them itself.
        marks = tuple(mark for mark in marks if mark.owner is not Owner.PULUMI)
        yield from _in_a_program(observation, settings)
    owner = certain_owner(marks)
    if settings.service.is_external:
        yield from _of_its_owner(marks, owner)
    elif owner is not None:
        yield finding(
            "service.owned",
            Grade.BLOCK,
            0,
            f"The service belongs to {owner}, which would undo the move at its next deployment.",
            f"{owner_change(owner, settings.capacity)}{_LEAVE_IT if owner not in _WITHOUT_A_TASK_DEFINITION else ''}",
            tuple(mark.evidence for mark in marks if mark.certain),
        )
    else:
        for suggested in dict.fromkeys(mark.owner for mark in marks if mark.owner is not Owner.PIPELINE):
            yield finding(
                "service.owner-suggested",
                Grade.WARN,
                0,
                f"Something says that {suggested} manages this service; if so, its next run undoes the move.",
                f"Ask its owner. {owner_change(suggested, settings.capacity)}{_LEAVE_IT}",
                tuple(mark.evidence for mark in marks if mark.owner is suggested),
            )
    pipelines = [mark for mark in marks if mark.owner is Owner.PIPELINE]
    if pipelines and not settings.service.is_external:
        yield finding(
            "service.deployed-by-pipeline",
            Grade.INFO,
            2,
            "A deployment pipeline registered what runs now, and will register the next revision.",
            owner_change(Owner.PIPELINE, settings.capacity),
            tuple(mark.evidence for mark in pipelines),
        )
    if has_short_arn(observation.service):
        yield finding(
            "service.short-arn",
            Grade.WARN,
            0,
            "The service has an ARN of the old format, without the cluster's name: ECS allows no tags on it, and the "
            "Pulumi provider looks it up by the new one.",
            "See that the adoption's preview finds the service. This tool sets no tags on it: its own record is kept "
            "in its own database.",
            in_service("$.serviceArn", observation.service.arn),
        )


def _in_a_program(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield the providers that the cluster lacks: they are the whole cluster's, and its own code associates them."""
    service, cluster = observation.service, observation.cluster
    needed = [item.provider for item in settings.capacity]
    if service.launch_type == ON_DEMAND:
        needed.insert(0, ON_DEMAND)
    missing = [name for name in dict.fromkeys(needed) if name not in cluster.capacity_providers]
    if missing:
        yield finding(
            "service.program-providers",
            Grade.BLOCK,
            0,
            f"The cluster lacks {', '.join(missing)}, and a program of the team's is not made to associate them.",
            "Add them to the ClusterCapacityProviders of the program that holds the cluster, or once by hand: `aws ecs "
            "put-cluster-capacity-providers` with all that are there and these. Nothing that runs changes.",
            (("cluster", ", ".join(cluster.capacity_providers) or "no providers"),),
        )


def _of_its_owner(marks: tuple[OwnerMark, ...], owner: Owner | None) -> Iterator[Finding]:
    """Yield the certain owner where the settings leave the service to it; it stops only what it cannot deploy."""
    if owner is None:
        return
    stops = owner in _WITHOUT_A_TASK_DEFINITION
    yield finding(
        "service.owned",
        Grade.BLOCK if stops else Grade.INFO,
        0,
        f"The service belongs to {owner}" + (", which cannot deploy the stages." if stops else ", which deploys it."),
        owner_change(owner, ()) if stops else "`migrate plan` shows what it has to change, stage by stage.",
        tuple(mark.evidence for mark in marks if mark.certain),
    )
