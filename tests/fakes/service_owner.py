"""The owner of a service: his own tool deploys it, past ours, as ecspresso or a pipeline does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from migrate.core.documents import document, fields
from migrate.core.facts import Strategy, StrategyItem
from migrate.core.settings import ImageMode, OwnerLanguage, ServiceOwner, Settings
from migrate.core.task_definition import registrable
from tests.fakes.aws_world import TAG
from tests.fakes.image_content import AMD64_ELF, ARM64_ELF, Entry
from tests.fakes.migration import SETTINGS, Operator

OWNED: Settings = replace(
    SETTINGS,
    service=replace(SETTINGS.service, owner=ServiceOwner.EXTERNAL, owner_tool=OwnerLanguage.TERRAFORM),
    image=replace(SETTINGS.image, mode=ImageMode.EXTERNAL),
    capacity_steps=(),
)
LATER = timedelta(minutes=3)
ON_DEMAND: Strategy = (StrategyItem("FARGATE", weight=1),)


@dataclass
class Owner:
    """Deploys to the world of an operator, now or while he waits."""

    operator: Operator

    @classmethod
    def of_the_demo(cls, **settings: Any) -> Owner:
        return cls(Operator.of(settings=replace(OWNED, **settings)))

    def later(self, deploy: Callable[[], object], after: timedelta = LATER) -> None:
        self.operator.world.clock.after(after, deploy)

    def deploy(self, *, architecture: str | None = None, strategy: Strategy | None = None, **content: Any) -> str:
        """Register the revision that runs with these changes and deploy it, as every deployment of such tools does."""
        world = self.operator.world
        current = registrable(world.revisions[world.demo.primary.task_definition_arn].document)
        if architecture is not None:
            current["runtimePlatform"] = {"cpuArchitecture": architecture, "operatingSystemFamily": "LINUX"}
        revision = world.register(document({**current, **content}))
        if strategy is not None:
            world.associate(tuple({*world.cluster.capacity_providers, *(item.provider for item in strategy)}))
        return world.apply_update(task_definition=revision.arn, strategy=strategy, force=True)

    def push(self) -> None:
        """Let the service's tag hold an index, the amd64 half as it was."""
        world = self.operator.world
        arm64 = world.shelf.image("linux/arm64", Entry("app", ARM64_ELF))
        amd64 = world.shelf.image("linux/amd64", Entry("app", AMD64_ELF))
        world.shelf.index(amd64, arm64, tag=TAG)

    def container(self, **changes: Any) -> list[dict[str, Any]]:
        """Return the container definitions that run, the first with these changes."""
        world = self.operator.world
        found = fields(world.revisions[world.demo.primary.task_definition_arn].document)["containerDefinitions"]
        assert isinstance(found, list)
        assert isinstance(found[0], dict)
        return [{**found[0], **changes}]

    def reach(self, stage: int) -> Owner:
        """Let the owner deploy each stage up to this one, while the operator waits for it."""
        steps: list[Callable[[], object]] = [
            lambda: self.deploy(strategy=ON_DEMAND),
            self.deploy,
            lambda: self.deploy(architecture="ARM64"),
            lambda: self.deploy(strategy=self.operator.settings.capacity),
        ]
        for number in range(stage + 1):
            if number == 1:
                self.push()
            self.later(steps[number])
            outcome = self.operator.apply(number)
            assert outcome.exit_code == 0, outcome
        return self
