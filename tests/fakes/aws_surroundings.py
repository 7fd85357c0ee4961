"""The port SurroundingsReader over a scripted world: shows only what the service depends on, like the real one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from migrate.core.documents import fields
from migrate.core.facts import Cluster, Service, TaskDefinition
from migrate.core.surroundings import (
    MISSING,
    CapacityProvider,
    Surroundings,
    group_name,
    kind_of,
    own_providers,
    subnet_ids,
)
from tests.fakes.aws_world import World


@dataclass(frozen=True)
class FakeSurroundingsReader:
    """The port SurroundingsReader; ``world.surroundings`` is everything that there is."""

    world: World

    def read(
        self, service: Service, definition: TaskDefinition, cluster: Cluster, wanted: Sequence[str]
    ) -> Surroundings:
        self.world.called("surroundings")
        assert cluster == self.world.cluster
        there = self.world.surroundings
        ids = subnet_ids(service)
        shown = replace(there, subnets=tuple(item for name in ids for item in there.subnets if item.id == name))
        if service.scheduling_strategy == "DAEMON" or there.scalable_target is None:
            shown = replace(shown, scalable_target=None, scheduled_actions=(), scaling_policies=())
        own = own_providers([*(item.provider for item in service.strategy), *wanted])
        if not own and service.scheduling_strategy != "DAEMON" and service.launch_type not in {"EC2", "EXTERNAL"}:
            return replace(
                shown, capacity_providers=(), groups=(), instance_types=(), container_instances=None, trunking=None
            )
        providers = tuple(there.provider(name) or CapacityProvider(name, MISSING, kind_of(name)) for name in own)
        behind = {group_name(item.group_arn) for item in providers}
        groups = tuple(group for group in there.groups if group.name in behind)
        instances = there.container_instances or ()
        types = {launch.instance_type for group in groups for launch in group.launches}
        types |= {item.instance_type for item in instances}
        awsvpc = fields(definition.document).get("networkMode") == "awsvpc"
        return replace(
            shown,
            capacity_providers=providers,
            groups=groups,
            instance_types=tuple(item for item in there.instance_types if item.name in types),
            container_instances=instances,
            trunking=bool(there.trunking) if awsvpc else None,
        )
