"""What the engine says it would do, and whether a stage may do that (design rule 3, facts F10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from migrate.core.twin import TWIN

TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"
CLUSTER_PROVIDERS = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
IMAGE = "docker-build:index:Image"
INDEX = "docker-build:index:Index"

HARMLESS = frozenset({"same", "read", "refresh"})
_DESTRUCTIVE = frozenset({"replace", "delete", "create-replacement", "delete-replaced", "discard", "discard-replaced"})
_REPLACING = frozenset({"replace", "create-replacement", "delete-replaced"})


class Act(StrEnum):
    """What an ``up`` is for; each has its own list of changes that are its business."""

    ADOPT = "adopt"
    BASELINE = "baseline"
    SHELVE_INDEX = "shelve-index"
    PUBLISH_INDEX = "publish-index"
    SERVICE = "service"
    ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One resource in a preview or an up. ``operation`` is the engine's own word (create, update, import, ...).

    ``properties`` are the top-level input properties that differ, sorted; empty where the engine names none.
    ``refused`` says, in a stack that is not ours alone, why no act may make the change; ``entry``: it is an entry of a
    component in the state, and nothing in the world.
    """

    urn: str
    type: str
    name: str
    operation: str
    properties: tuple[str, ...] = ()
    refused: str = ""
    entry: bool = False

    @property
    def changes(self) -> bool:
        """Whether anything is to be done to the resource."""
        return self.operation not in HARMLESS


@dataclass(frozen=True, slots=True)
class Preview:
    """All resources of one preview of a stack, in the engine's order, and its warnings and errors."""

    stack: str
    resources: tuple[ResourceChange, ...]
    diagnostics: tuple[str, ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()

    @property
    def settled(self) -> StackOutcome | None:
        """The stack as an ``up`` would leave it, where nothing at all would change: then there is no need for one."""
        if not self.outputs or any(item.changes for item in self.resources):
            return None
        return StackOutcome(self.stack, self.resources, self.outputs, self.diagnostics)

    @property
    def changes(self) -> tuple[ResourceChange, ...]:
        """The resources that would change; the stack itself, providers and components are none of the world's."""
        return tuple(item for item in self.resources if item.changes and not _bookkeeping(item))


@dataclass(frozen=True, slots=True)
class StackOutcome:
    """What an ``up`` did, and the stack's outputs (name and text; structured ones as JSON text)."""

    stack: str
    resources: tuple[ResourceChange, ...]
    outputs: tuple[tuple[str, str], ...] = ()
    diagnostics: tuple[str, ...] = ()

    def output(self, name: str) -> str | None:
        """Return one output, None where the stack has none of that name."""
        return dict(self.outputs).get(name)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an act may do to one type: operations, and for updates the properties that may differ."""

    operations: frozenset[str]
    properties: frozenset[str] = field(default_factory=frozenset)


_STATE_ONLY = frozenset({"skipDestroy", "trackLatest", "forceNewDeployment", "triggers"})
_TASK_DEFINITION_KEPT = Allowance(frozenset({"update"}), frozenset({"skipDestroy", "trackLatest"}))
_PROVIDERS_ADDED = Allowance(frozenset({"import", "update"}), frozenset({"capacityProviders"}))
_SERVICE_MOVED = Allowance(
    frozenset({"update"}), frozenset({"capacityProviderStrategies", "launchType", "taskDefinition"}) | _STATE_ONLY
)
_INDEX_MADE = Allowance(frozenset({"create", "update"}), frozenset({"tag", "tags", "sources", "exports", "push"}))

ALLOWED: Mapping[Act, Mapping[str, Allowance]] = {
    Act.ADOPT: {
        TASK_DEFINITION: Allowance(frozenset({"import"})),
        SERVICE: Allowance(frozenset({"import"})),
        CLUSTER_PROVIDERS: Allowance(frozenset({"import"})),
    },
    Act.BASELINE: {
        TASK_DEFINITION: _TASK_DEFINITION_KEPT,
        SERVICE: _SERVICE_MOVED,
        CLUSTER_PROVIDERS: _PROVIDERS_ADDED,
    },
    Act.SHELVE_INDEX: {IMAGE: Allowance(frozenset({"create", "update"})), INDEX: _INDEX_MADE},
    Act.PUBLISH_INDEX: {
        IMAGE: Allowance(frozenset({"update"}), frozenset({"tags", "registries"})),
        INDEX: _INDEX_MADE,
    },
    Act.SERVICE: {
        TASK_DEFINITION: Allowance(frozenset({"create", "update"}), frozenset({"skipDestroy", "trackLatest"})),
        SERVICE: _SERVICE_MOVED,
        CLUSTER_PROVIDERS: _PROVIDERS_ADDED,
    },
    Act.ORIGINAL: {SERVICE: Allowance(frozenset({"update"}), _STATE_ONLY), TASK_DEFINITION: _TASK_DEFINITION_KEPT},
}


def violations(preview: Preview, act: Act, twin: str = "") -> tuple[str, ...]:
    """Return, in words, every change in a preview that is not the act's business; empty means the ``up`` may run.

    A task definition may be replaced (its old revision stays, facts F7); nothing else may be replaced or deleted, with
    one exception: ``twin`` is the operation (create, import, delete) that the step is about to do to the twin service,
    the resource of that logical name and no other. A twin that was imported may be told how it is to go.
    """
    found = []
    for change in preview.changes:
        if (change.type, change.name) == (SERVICE, TWIN):
            if twin and (change.operation == twin or _only_made_to_go(change)):
                continue
            found.append(f"{change.name} ({change.type}): this step must not {change.operation} it")
            continue
        reason = change.refused or _violation(change, ALLOWED[act].get(change.type))
        if reason:
            found.append(f"{change.name} ({change.type}): {reason}")
    return tuple(found)


def _violation(change: ResourceChange, allowance: Allowance | None) -> str:
    if change.operation in _DESTRUCTIVE:
        if change.type == TASK_DEFINITION and change.operation in _REPLACING and allowance is not None:
            return ""
        return f"the engine would {change.operation} it"
    if allowance is None:
        return f"this step has no business with it ({change.operation})"
    if change.operation not in allowance.operations:
        return f"this step must not {change.operation} it"
    strange = set(change.properties) - allowance.properties
    if change.operation == "update" and allowance.properties and strange:
        return f"this step must not change {', '.join(sorted(strange))}"
    return ""


def _only_made_to_go(change: ResourceChange) -> bool:
    return change.operation == "update" and change.properties == ("forceDelete",)


def _bookkeeping(change: ResourceChange) -> bool:
    return change.entry or (change.type.startswith("pulumi:") and not change.refused)
