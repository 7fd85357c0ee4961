"""An operator at work on the scripted world: the workflows over fakes, in virtual time, with what was said and done."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import timedelta

from migrate.adapters.registry.contents import RegistryContents
from migrate.adapters.registry.inspect import RegistryInspector
from migrate.core.evidence import Event, Run
from migrate.core.facts import Service, Task
from migrate.core.gate.gate import Verdict
from migrate.core.outcome import RunOutcome
from migrate.core.plan.plan import MigrationPlan
from migrate.core.record import Record
from migrate.core.settings import GateSettings, ImageSettings, ServiceSettings, Settings
from migrate.core.stages import Stage
from migrate.core.status import Status
from migrate.errors import ExitCode
from migrate.workflows.apply import apply_stage, rebaseline
from migrate.workflows.durable import Durable, InMemory
from migrate.workflows.orders import NoOrders, Orders
from migrate.workflows.owner_deployer import OwnerDeployer
from migrate.workflows.plan import plan_migration
from migrate.workflows.rollback import roll_back
from migrate.workflows.runtime import Runtime
from migrate.workflows.status import read_status
from tests.fakes.aws_ports import FakeHealthReader, FakeSafetyActions, FakeServiceReader
from tests.fakes.aws_repository import FakeRepositoryReader
from tests.fakes.aws_surroundings import FakeSurroundingsReader
from tests.fakes.aws_world import REGION, TAG, World
from tests.fakes.builds import FakeBuildReader
from tests.fakes.check_sources import FakeSources
from tests.fakes.clock import FakeClock
from tests.fakes.image_registry import FakeImageRegistry
from tests.fakes.notifications import FakeChannels
from tests.fakes.permissions import FakePermissionReader
from tests.fakes.prices import FakePriceReader
from tests.fakes.record_store import MemoryRecordStore
from tests.fakes.stack_deployer import FakeStackDeployer

GATE = GateSettings(interval=timedelta(seconds=15), soak=timedelta(minutes=2), deadline=timedelta(minutes=20))
SETTINGS = Settings(ServiceSettings("demo", "web", REGION), ImageSettings("web", context="app"), gate=GATE)


@dataclass
class Listener:
    """The port Narrator: keeps what it hears."""

    heard: list[Event] = field(default_factory=list)

    def tell(self, event: Event) -> None:
        self.heard.append(event)


@dataclass
class Operator:
    """Applies and rolls back; everything it works with can be looked at and interfered with."""

    world: World
    stacks: FakeStackDeployer
    settings: Settings = SETTINGS
    store: MemoryRecordStore = field(default_factory=MemoryRecordStore)
    listener: Listener = field(default_factory=Listener)
    builds: FakeBuildReader = field(default_factory=FakeBuildReader)
    durable: Durable = field(default_factory=InMemory)
    permissions: FakePermissionReader = field(default_factory=FakePermissionReader)
    prices: FakePriceReader = field(default_factory=FakePriceReader)
    orders: Orders = field(default_factory=NoOrders)
    sources: FakeSources = field(default_factory=FakeSources)
    channels: FakeChannels = field(default_factory=FakeChannels)
    _runs: int = 0

    @classmethod
    def of(cls, world: World | None = None, settings: Settings = SETTINGS) -> Operator:
        made = world or World.with_demo_service(FakeClock())
        return cls(made, FakeStackDeployer(made), settings)

    @property
    def runtime(self) -> Runtime:
        registry = FakeImageRegistry(self.world.shelf)
        runtime = Runtime(
            settings=self.settings,
            services=FakeServiceReader(self.world),
            surroundings=FakeSurroundingsReader(self.world),
            health=FakeHealthReader(self.world),
            repositories=FakeRepositoryReader(self.world),
            permissions=self.permissions,
            prices=self.prices,
            registry=registry,
            images=RegistryInspector(registry),
            files=RegistryContents(registry),
            builds=self.builds,
            store=self.store,
            clock=self.world.clock,
            safety=FakeSafetyActions(self.world),
            stacks=self.stacks,
            narrator=self.listener,
            orders=self.orders,
            sources=self.sources.ports,
            channels=self.channels.ports,
        )
        if self.settings.service.is_external:
            return replace(runtime, stacks=OwnerDeployer(runtime, next(iter(self.world.services))))
        return runtime

    def runtimes(self, run: Run) -> Runtime:
        """Return what any run of this operator works with."""
        del run
        return self.runtime

    def run(self, verb: str, stage: int) -> Run:
        self._runs += 1
        arn = next(iter(self.world.services))
        return Run(f"run-{self._runs}", arn, verb, stage, self.world.clock.now(), "ada", "workstation", 4711)

    def plan(self) -> MigrationPlan:
        return plan_migration(self.runtime)

    def apply(self, stage: int, *, stop_on_failure: bool = False) -> RunOutcome:
        run = self.run("apply", stage)
        return apply_stage(self.runtime, self.durable, run, stop_on_failure=stop_on_failure)

    def rebaseline(self) -> RunOutcome:
        return rebaseline(self.runtime, self.durable, self.run("apply", 0))

    def roll_back(self, to: Stage | None = None) -> RunOutcome:
        return roll_back(self.runtime, self.durable, self.run("rollback", -1 if to is None else to), to)

    def reach(self, stage: int) -> Operator:
        """Apply all stages up to this one."""
        for number in range(stage + 1):
            outcome = self.apply(number)
            assert outcome.exit_code is ExitCode.DONE, outcome
        return self

    def copied(self) -> Operator:
        """Return another operator in another world that is the same until now."""
        lock = self.store._lock
        return deepcopy(self, {id(lock): lock})

    def status(self) -> Status:
        return read_status(self.runtime)

    def gate(self, **more: object) -> None:
        """Change the gate settings."""
        self.settings = replace(self.settings, gate=replace(self.settings.gate, **more))  # type: ignore[arg-type]

    @property
    def service(self) -> Service:
        return FakeServiceReader(self.world).service("demo", "web")

    @property
    def tasks(self) -> tuple[Task, ...]:
        return FakeServiceReader(self.world).tasks(self.service)

    @property
    def record(self) -> Record:
        record = self.store.record(next(iter(self.world.services)))
        assert record is not None
        return record

    @property
    def tag(self) -> tuple[str, bytes]:
        """Media type and body behind the service's tag."""
        return self.world.shelf.manifests[TAG]

    def events(self) -> list[Event]:
        """Return the evidence of the newest run."""
        return list(self.store.events(f"run-{self._runs}"))

    def verdicts(self) -> list[Verdict]:
        return [Verdict(event.text.split(":")[0]) for event in self.events() if event.kind.value == "verdict"]
