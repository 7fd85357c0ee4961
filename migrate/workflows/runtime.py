"""What a workflow works with: the operator's settings and one adapter for each port."""

from __future__ import annotations

from dataclasses import dataclass, field

from migrate.check_ports import CheckSources
from migrate.core.evidence import Run, Worker
from migrate.core.settings import Settings
from migrate.notification_ports import NotificationChannels
from migrate.ports import (
    BuildReader,
    Clock,
    HealthReader,
    ImageContents,
    ImageInspector,
    ImageRegistry,
    Narrator,
    PermissionReader,
    PriceReader,
    RepositoryReader,
    SafetyActions,
    ServiceReader,
    StackDeployer,
    SurroundingsReader,
)
from migrate.store_port import RecordStore
from migrate.workflows.orders import NoOrders, Orders


@dataclass(frozen=True, slots=True)
class Readers:
    """What looking needs; nothing of it changes the world."""

    settings: Settings
    services: ServiceReader
    surroundings: SurroundingsReader
    health: HealthReader
    repositories: RepositoryReader
    permissions: PermissionReader
    prices: PriceReader
    registry: ImageRegistry
    images: ImageInspector
    files: ImageContents
    builds: BuildReader
    store: RecordStore
    clock: Clock


@dataclass(frozen=True, slots=True)
class Runtime(Readers):
    """What acting needs beside it; wiring builds the real one, tests a scripted one."""

    safety: SafetyActions
    stacks: StackDeployer
    narrator: Narrator
    orders: Orders = field(default_factory=NoOrders)
    sources: CheckSources | None = None
    """What the operator's own checks ask; None where a run has none."""
    channels: NotificationChannels | None = None
    """How others are told; None where nobody can be."""
    worker: Worker | None = None
    """Who goes on with a run that another process began; None where the run itself says who works on it."""


@dataclass(slots=True)
class Writing:
    """What a verb that writes works with: the runtime, a run that is about to be, and the URL of the database."""

    runtime: Runtime
    run: Run
    database_url: str
    telling: list[str]
    """The id of the run that the engine's remarks belong to."""

    def runtimes(self, run: Run) -> Runtime:
        """Return what ``run`` works with: all runs of one command are on the same service."""
        self.telling[:] = [run.id]
        return self.runtime
