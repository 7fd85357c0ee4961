"""The operator's settings as core values; migrate/config reads them from migrate.toml and the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from migrate.core.cost.prices import HourlyRates
from migrate.core.facts import Strategy, StrategyItem
from migrate.core.gate_checks import GateCheck
from migrate.core.notifications import NotificationSettings

_REMOTE = re.compile(r"(?:https?|git|ssh)://|git@|github\.com/")


class ImageMode(StrEnum):
    """How the multi-platform index comes to be.

    extend keeps the amd64 manifest bit for bit and adds arm64; rebuild builds both; external only verifies.
    """

    EXTEND = "extend"
    REBUILD = "rebuild"
    EXTERNAL = "external"


class ArchitectureMode(StrEnum):
    """How tasks go over to ARM64.

    rolling replaces them; canary lets a twin service take a share first; mixed keeps the twin beside the service.
    """

    ROLLING = "rolling"
    CANARY = "canary"
    MIXED = "mixed"


class ServiceOwner(StrEnum):
    """Who deploys the service: this tool, through its own stacks or through a Pulumi program of the team's; or others.

    pulumi: the tool writes the stages into the program's stack configuration and runs it. external: somebody else's
    code, which the tool waits for.
    """

    MIGRATE = "migrate"
    PULUMI = "pulumi"
    EXTERNAL = "external"


class OwnerLanguage(StrEnum):
    """What the code of a service's owner is written for."""

    TERRAFORM = "terraform"
    CLOUDFORMATION = "cloudformation"
    CDK = "cdk"
    COPILOT = "copilot"
    ECSPRESSO = "ecspresso"


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Which service. ``cluster`` and ``name`` are names or ARNs as the operator wrote them.

    ``owner_tool`` is None where the marks on the service are to tell it; ``owner_deadline`` is how long a run waits
    for a deployment of the owner's.
    """

    cluster: str
    name: str
    region: str | None = None
    owner: ServiceOwner = ServiceOwner.MIGRATE
    owner_tool: OwnerLanguage | None = None
    owner_deadline: timedelta = timedelta(hours=1)

    @property
    def is_program(self) -> bool:
        """Whether a Pulumi program of the team's holds the service, and this tool runs it."""
        return self.owner is ServiceOwner.PULUMI

    @property
    def is_external(self) -> bool:
        """Whether somebody else's code deploys the service."""
        return self.owner is ServiceOwner.EXTERNAL


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """What is built. ``context`` and ``dockerfile`` are paths on the operator's machine; ``builder`` a buildx builder.

    ``container`` names the container whose image moves; ``build_arguments`` are name and value pairs.
    """

    container: str
    mode: ImageMode = ImageMode.EXTEND
    context: str = "."
    dockerfile: str | None = None
    target: str | None = None
    builder: str | None = None
    build_arguments: tuple[tuple[str, str], ...] = ()

    @property
    def is_remote(self) -> bool:
        """Whether the context is fetched by the builder: Git, HTTP and the like (buildx 0.35, util/urlutil)."""
        return _REMOTE.match(self.context) is not None


@dataclass(frozen=True, slots=True)
class GateSettings:
    """How long a stage is watched. The soak starts again whenever a check stops passing.

    ``failure_limit`` is how many failed measurements of one check are allowed before the gate fails;
    ``error_limit`` how many errors in a row; ``inconclusive_limit`` how many inconclusive ones, None for as many as
    come before the deadline (Argo Rollouts analysis: failureLimit, consecutiveErrorLimit, inconclusiveLimit).
    ``progress_deadline`` is how long a rollout may stand still. ``interruption_limit`` is the percentage of the tasks
    that Spot may take away during the gate of stage 3 before it counts as failed.
    """

    interval: timedelta = timedelta(seconds=15)
    soak: timedelta = timedelta(minutes=10)
    deadline: timedelta = timedelta(minutes=40)
    failure_limit: int = 0
    error_limit: int = 4
    alarms: tuple[str, ...] = ()
    inconclusive_limit: int | None = None
    progress_deadline: timedelta = timedelta(minutes=20)
    interruption_limit: int = 50
    checks: tuple[GateCheck, ...] = ()


PROGRAM_KEYS = ("stage", "image", "originalDigest", "architecture", "arm64Revision", "capacity", "deployment")
"""What a team's program is told through its stack's configuration; the contract with it."""


@dataclass(frozen=True, slots=True)
class ProgramSettings:
    """The team's Pulumi program: its folder and its stack, as ``pulumi --stack`` takes it.

    ``image`` says that the program holds the image as well. ``namespace`` and ``keys`` (name of the contract, name of
    the team's) say under which keys it reads its configuration.
    """

    directory: str
    stack: str
    image: bool = False
    namespace: str = "migrate"
    keys: tuple[tuple[str, str], ...] = ()


_NOBODY = NotificationSettings()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator decides for one service."""

    service: ServiceSettings
    image: ImageSettings
    architecture: ArchitectureMode = ArchitectureMode.ROLLING
    capacity: Strategy = (StrategyItem("FARGATE", weight=1, base=1), StrategyItem("FARGATE_SPOT", weight=3))
    gate: GateSettings = GateSettings()
    canary_share: int = 25
    """Percent of the service's tasks that the twin of the modes canary and mixed is made with, at least one task."""
    capacity_steps: tuple[int, ...] = (25, 50)
    """Percent of the way to ``capacity`` at which stage 3 stops and proves itself; empty: it goes at once."""
    step_soak: timedelta | None = None
    """The soak at each of these steps; None: that of the gate."""
    notifications: NotificationSettings = _NOBODY
    program: ProgramSettings | None = None
    """The team's program; set where service.owner is pulumi."""
    prices: tuple[HourlyRates, ...] = ()
    """Rates that the operator knows better; they win over the known ones of the same region."""
