"""What a Pulumi program of the team's is told through its stack's configuration: the desired state as plain keys.

Every key is optional, and its absence means "as the program says by itself", so that at the beginning, and after a way
back to the original, the program stands as its team wrote it. ``stacks/components/README.md`` is the same contract from
the program's side.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from migrate.core.capacity import in_any_order
from migrate.core.desired_state import ImageStackInputs, ServiceStackInputs, desired_state
from migrate.core.documents import fields
from migrate.core.facts import Strategy
from migrate.core.record import Record
from migrate.core.service_settings import child
from migrate.core.settings import ProgramSettings, Settings
from migrate.core.stages import Stage

_ARM64 = "task-definition-arm64"
INDEX_TO_COME = "<digest of the index>"

Configuration = Mapping[str, str | None]
"""Values by the contract's own key, without a namespace; None where the key is to be absent."""


def service_configuration(record: Record, settings: Settings, inputs: ServiceStackInputs) -> Configuration:
    """Return stage, architecture, capacity and deployment for what the service is to be.

    ``arm64Revision`` says that the ARM64 revision was made: a program that declares it beside its own keeps it.
    """
    service = inputs.service
    definition = next(item for item in inputs.task_definitions if item.logical_name == service.task_definition)
    platform = child(fields(definition.document), "runtimePlatform")
    return {
        "stage": str(max(Stage.BASELINE, _stage(record, settings, inputs)).value),
        "architecture": _text(platform.get("cpuArchitecture")),
        "arm64Revision": "true" if any(item.logical_name == _ARM64 for item in inputs.task_definitions) else None,
        "capacity": _capacity(record.baseline.service.strategy, service.strategy),
        "deployment": dict(service.triggers).get("image-digest") if service.force_new_deployment else None,
    }


def image_configuration(inputs: ImageStackInputs) -> Configuration:
    """Return what the service's tag is to hold, and the manifest that it held before."""
    made = "index" if inputs.published else "shelved"
    return {"image": made if inputs.present else "original", "originalDigest": inputs.original_digest}


def named(program: ProgramSettings, values: Configuration) -> Configuration:
    """Return values under the keys that the team's program reads them from, with their namespace."""
    other = dict(program.keys)
    keys = {name: other.get(name, name) for name in values}
    return {key if ":" in key else f"{program.namespace}:{key}": values[name] for name, key in keys.items()}


def planned_configuration(record: Record, settings: Settings, program: ProgramSettings, stage: Stage) -> Configuration:
    """Return all keys as ``stage`` leaves them, under the names that the program reads them by.

    What no index was built for yet is told by words in its place.
    """
    # A plan shows the whole of a stage, also while it is on its way.
    begun = replace(record, adopted=record.adopted or stage > Stage.ORIGINAL, capacity_way=())
    desired = desired_state(begun, settings, stage)
    values = {**service_configuration(begun, settings, desired.service), "stage": str(max(stage, Stage.BASELINE).value)}
    if values["deployment"] is not None and stage >= Stage.IMAGE and record.index is None:
        values["deployment"] = INDEX_TO_COME
    if program.image:
        values |= image_configuration(replace(desired.image, present=stage >= Stage.IMAGE or record.shelved))
    return named(program, values)


def _stage(record: Record, settings: Settings, inputs: ServiceStackInputs) -> Stage:
    """Return the stage whose service this is; of several that are alike, the one that was begun, else the lowest."""
    alike = [
        stage
        for stage in Stage
        if _place(desired_state(record, settings, stage).service) == _place(inputs)
        and desired_state(record, settings, stage).service.service.triggers == inputs.service.triggers
    ]
    begun = record.position.entered
    if begun in alike:
        return begun
    return min(alike, default=Stage.ORIGINAL)


def _place(inputs: ServiceStackInputs) -> tuple[str, str | None, list[tuple[str, int, int]]]:
    service = inputs.service
    return service.task_definition, service.launch_type, in_any_order(service.strategy)


def _capacity(own: Strategy, wanted: Strategy) -> str | None:
    if in_any_order(own) == in_any_order(wanted):
        return None
    items = [{"capacityProvider": item.provider, "base": item.base, "weight": item.weight} for item in wanted]
    return json.dumps(items) if items else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
