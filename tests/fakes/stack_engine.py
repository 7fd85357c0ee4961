"""A small engine: what a program wants against what a stack's state holds, as the real one tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from migrate.core.stack.preview import CLUSTER_PROVIDERS, SERVICE, ResourceChange
from migrate.errors import EngineError, UnsafePreviewError

UNKNOWN = "<unknown until made>"
_STATE_ALONE = frozenset({"forceNewDeployment"})
_PROTECTED = frozenset({SERVICE, CLUSTER_PROVIDERS})


@dataclass(frozen=True)
class Wanted:
    """One resource of a program. ``imported`` is what exists already, as an import reads it."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    imported: Mapping[str, Any] | None = None


@dataclass
class StackState:
    """What a stack remembers: type and inputs by logical name."""

    name: str
    resources: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)

    def changes(self, wanted: list[Wanted]) -> tuple[ResourceChange, ...]:
        """Return every step to what is wanted, in order; raises what the provider's diff raises."""
        steps = [step for item in wanted for step in self._steps(item)]
        names = {item.name for item in wanted}
        gone = [self._change(type_, name, "delete") for name, (type_, _) in self.resources.items() if name not in names]
        return (self._change("pulumi:pulumi:Stack", self.name, "same"), *steps, *gone)

    def remember(self, wanted: list[Wanted]) -> None:
        """Take over what is wanted; what is unknown or not wanted any more stays out."""
        self.imported |= {item.name for item in wanted if item.imported is not None}
        self.resources = {item.name: (item.type, dict(item.inputs)) for item in wanted}

    def _steps(self, item: Wanted) -> list[ResourceChange]:
        held = self.resources.get(item.name)
        if held is not None and item.imported is not None and item.name not in self.imported:
            # Created under an id that is not the import's (pulumi, deploy/step_generator.go).
            return [self._change(item.type, item.name, "import-replacement")]
        if held is not None:
            return [self._compared(item, held[1])]
        if item.imported is None:
            return [self._change(item.type, item.name, "create")]
        after = self._compared(item, item.imported)
        imported = self._change(item.type, item.name, "import")
        return [imported] if after.operation == "same" else [imported, after]

    def _compared(self, item: Wanted, held: Mapping[str, Any]) -> ResourceChange:
        different = {name for name in {*held, *item.inputs} if held.get(name) != item.inputs.get(name)}
        if item.type == SERVICE:
            different = self._compared_service(item, different)
        if item.type != SERVICE and "tag" in different:
            return self._replaced(item, different)
        if different <= _STATE_ALONE:
            return self._change(item.type, item.name, "same")
        return self._change(item.type, item.name, "update", different)

    def _compared_service(self, item: Wanted, different: set[str]) -> set[str]:
        forced = bool(item.inputs.get("forceNewDeployment"))
        if "capacityProviderStrategies" in different and not forced:
            raise EngineError(
                f"Pulumi could not preview the {self.name} stack.",
                why="force_new_deployment should be true when capacity_provider_strategy is being updated",
                then="Treat the cause and run the command again.",
            )
        if "launchType" in different:
            if item.inputs.get("launchType") is not None:
                self._replaced(item, different)
            # Optional and computed: taken out of the program, the former value stays (facts F2).
            different = different - {"launchType"}
        return different if forced else different - {"triggers"}

    def _replaced(self, item: Wanted, different: set[str]) -> ResourceChange:
        if item.type in _PROTECTED:
            raise UnsafePreviewError(
                f"Pulumi would have to replace or delete a protected resource of the {self.name} stack.",
                why=f"{item.name}: {', '.join(sorted(different))}",
                then="Nothing was changed.",
            )
        return self._change(item.type, item.name, "replace", different)

    def _change(self, type_: str, name: str, operation: str, properties: set[str] | None = None) -> ResourceChange:
        urn = f"urn:pulumi:fake::migrate-{self.name}::{type_}::{name}"
        return ResourceChange(urn, type_, name, operation, tuple(sorted(properties or ())))
