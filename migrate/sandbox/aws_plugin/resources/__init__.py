"""The resource types, one file each: a table of properties, and the API calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.sandbox.aws_plugin.resources.bucket import Bucket
from migrate.sandbox.aws_plugin.resources.capacity_provider import CapacityProvider
from migrate.sandbox.aws_plugin.resources.cluster import Cluster
from migrate.sandbox.aws_plugin.resources.cluster_capacity_providers import ClusterCapacityProviders
from migrate.sandbox.aws_plugin.resources.lifecycle_policy import LifecyclePolicy
from migrate.sandbox.aws_plugin.resources.queue import Queue
from migrate.sandbox.aws_plugin.resources.repository import Repository
from migrate.sandbox.aws_plugin.resources.service import Service
from migrate.sandbox.aws_plugin.resources.task_definition import TaskDefinition

if TYPE_CHECKING:
    from migrate.sandbox.aws_plugin.resource import ResourceType

_ALL: tuple[ResourceType, ...] = (
    Bucket(),
    CapacityProvider(),
    Cluster(),
    ClusterCapacityProviders(),
    LifecyclePolicy(),
    Queue(),
    Repository(),
    Service(),
    TaskDefinition(),
)

RESOURCE_TYPES: dict[str, ResourceType] = {item.table.token: item for item in _ALL}
