"""The port StackDeployer where somebody else owns the service: nothing is written, deployments are waited for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from math import ceil

from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_fixed

from migrate.core.desired_state import ImageStackInputs, ServiceStackInputs
from migrate.core.facts import Service, TaskDefinition
from migrate.core.owner.arrival import Arrival, Seen, arrival, shown_change
from migrate.core.owner.change import OwnerChange
from migrate.core.record import Record
from migrate.core.stack.pending import PendingOperation
from migrate.core.stack.preview import CLUSTER_PROVIDERS, SERVICE, Preview, ResourceChange, StackOutcome
from migrate.errors import HeldError, NotFoundError, WorldChangedError
from migrate.workflows.runtime import Readers

_NO_IMAGE_STACK = (("owner", "external"),)


class OwnerDeployer:
    """Implements StackDeployer for one service: a preview is what its owner has still to deploy, an ``up`` waits."""

    def __init__(self, readers: Readers, service_arn: str) -> None:
        self._readers = readers
        self._arn = service_arn
        self._definitions: dict[str, TaskDefinition] = {}

    def preview_image(self, inputs: ImageStackInputs) -> Preview:
        """Return that nothing is to be done: the image is pushed by its owner (image mode external)."""
        del inputs
        return Preview("image", (), outputs=_NO_IMAGE_STACK)

    def up_image(self, inputs: ImageStackInputs) -> StackOutcome:
        """Do nothing."""
        del inputs
        return StackOutcome("image", (), _NO_IMAGE_STACK)

    def preview_service(self, inputs: ServiceStackInputs) -> Preview:
        """Return what the owner has still to deploy; one line about it is in the diagnostics.

        Raises WorldChangedError where the service holds a change that nobody planned.
        """
        seen, found = self._look(inputs)
        outputs = self._outputs(inputs, seen.service) if found.is_there else ()
        told = () if found.is_there else (shown_change(found.missing),)
        return Preview("service", _resources(inputs, found.missing), told, outputs)

    def up_service(self, inputs: ServiceStackInputs) -> StackOutcome:
        """Wait for the owner's deployment.

        Raises WorldChangedError as soon as another change than the planned one arrives, HeldError when the deadline
        comes first, InterruptedRunError when the operator stops the wait.
        """
        settings = self._readers.settings
        _, first = self._look(inputs)
        interval = settings.gate.interval
        waiting = Retrying(
            retry=retry_if_result(lambda looked: not looked[1].is_there),
            wait=wait_fixed(interval),
            stop=stop_after_attempt(ceil(settings.service.owner_deadline / interval) + 1),
            sleep=lambda seconds: self._readers.clock.sleep(timedelta(seconds=seconds)),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        seen, found = waiting(self._look, inputs)
        if not found.is_there:
            raise HeldError(
                "The owner's deployment did not arrive.",
                why=f"Still to come after {settings.service.owner_deadline}: {shown_change(found.missing)}.",
                then="Deploy it, then run the same command again: it goes on waiting, and takes what is there by then.",
                runbook="errors#owner-waits",
            )
        return StackOutcome("service", _resources(inputs, first.missing), self._outputs(inputs, seen.service))

    def set_aside(self, mark: str, *, image: bool) -> None:
        """Do nothing: there are no stacks."""

    def refresh(self) -> None:
        """Do nothing: every look is at the world."""

    def pending(self) -> tuple[PendingOperation, ...]:
        """Return that no operation is under way: there is no engine."""
        return ()

    def settle(self, made: Mapping[str, str]) -> None:
        """Do nothing."""

    def acknowledge(self, inputs: ServiceStackInputs) -> None:
        """Do nothing."""

    def interrupt(self) -> None:
        """Do nothing: a wait ends by the clock."""

    def go_on(self) -> None:
        """Do nothing."""

    def _look(self, inputs: ServiceStackInputs) -> tuple[Seen, Arrival]:
        record = self._record()
        seen = self._seen(record)
        found = arrival(record, self._readers.settings, inputs, seen)
        if found.strange:
            raise WorldChangedError(
                "The service holds a change that this stage did not plan.",
                why=f"{'; '.join(found.strange)}.",
                then="Nothing was changed by this tool. Have its owner take that back and deploy only what `migrate "
                "plan` shows, then run the same command again; to keep it and go on from it: `migrate apply --stage 0 "
                "--rebaseline`.",
                runbook="errors#owner-change",
            )
        return seen, found

    def _record(self) -> Record:
        record = self._readers.store.record(self._arn)
        if record is None:
            raise NotFoundError(
                "There is no record of the service.", why=f"Nothing is stored of {self._arn}.", then="Start at stage 0."
            )
        return record

    def _seen(self, record: Record) -> Seen:
        readers = self._readers
        service = readers.services.service(readers.settings.service.cluster, readers.settings.service.name)
        cluster = readers.services.cluster(service.cluster_arn)
        arn = service.task_definition_arn
        if arn not in self._definitions:
            self._definitions[arn] = readers.services.task_definition(arn)
        definition = self._definitions[arn]
        scaled = False
        if record.known_count not in (None, service.desired_count):
            scaled = readers.surroundings.read(service, definition, cluster, ()).scalable_target is not None
        return Seen(service, definition, cluster, scaled)

    def _outputs(self, inputs: ServiceStackInputs, service: Service) -> tuple[tuple[str, str], ...]:
        """Return the revision that runs under the name of the one that was wanted.

        The owner's tool may have registered it anew: it is then a copy of the original, as the record knows them.
        """
        name, arn = inputs.service.task_definition, service.task_definition_arn
        arns = {name: arn}
        if name == "task-definition" and arn != next(iter(inputs.task_definitions)).import_arn:
            arns["task-definition-copy"] = arn
        return (("service_arn", inputs.service.arn), ("task_definition_arns", json.dumps(arns)))


def _resources(inputs: ServiceStackInputs, missing: OwnerChange) -> tuple[ResourceChange, ...]:
    properties = {
        "taskDefinition": missing.architecture is not None,
        "capacityProviderStrategies": missing.capacity is not None,
        "triggers": bool(missing.deployment),
    }
    changed = tuple(sorted(name for name, differs in properties.items() if differs))
    found = []
    if changed:
        found.append(ResourceChange(inputs.service.arn, SERVICE, "service", "update", changed))
    if missing.cluster is not None:
        cluster = inputs.service.cluster_arn
        found.append(ResourceChange(cluster, CLUSTER_PROVIDERS, "cluster", "update", ("capacityProviders",)))
    return tuple(found)
