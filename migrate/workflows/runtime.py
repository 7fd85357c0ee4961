"""What a workflow works with: the operator's settings and one adapter for each port."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.core.settings import Settings
from migrate.ports import (
    Clock,
    HealthReader,
    ImageInspector,
    ImageRegistry,
    Narrator,
    RecordStore,
    RepositoryReader,
    SafetyActions,
    ServiceReader,
    StackDeployer,
)


@dataclass(frozen=True, slots=True)
class Runtime:
    """One migration's outside world; wiring builds the real one, tests a scripted one."""

    settings: Settings
    services: ServiceReader
    health: HealthReader
    repositories: RepositoryReader
    registry: ImageRegistry
    images: ImageInspector
    safety: SafetyActions
    stacks: StackDeployer
    store: RecordStore
    clock: Clock
    narrator: Narrator
