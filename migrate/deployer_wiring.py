"""The composition root of what deploys one service: our own stacks, or a Pulumi program of the team's."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.adapters.aws.session import AwsSession
from migrate.config import Environment
from migrate.core.facts import Account, Service
from migrate.core.image.index import ImageReference
from migrate.core.record import Record
from migrate.core.task_definition import containers
from migrate.errors import NotFoundError
from migrate.ports import Narrator
from migrate.workflows.engine_story import noted_by, told_to
from migrate.workflows.runtime import Readers

if TYPE_CHECKING:
    from migrate.adapters.pulumi.command_line import CommandLine
    from migrate.adapters.pulumi.deployer import PulumiDeployer
    from migrate.adapters.pulumi.program import ProgramDeployer
    from migrate.adapters.pulumi.workspace import StackAddress


@dataclass(frozen=True, slots=True)
class Opened:
    """Readers, and the session and surroundings that they were made from."""

    readers: Readers
    session: AwsSession
    environment: Environment


def deployer_of(
    opened: Opened,
    account: Account,
    service: Service,
    narrator: Narrator,
    telling: Sequence[str],
    command_line: Callable[[], CommandLine],
) -> PulumiDeployer | ProgramDeployer:
    """Return what deploys the service; ``telling`` holds the id of the run that hears about it."""
    from migrate.adapters.pulumi.deployer import PulumiDeployer
    from migrate.adapters.pulumi.engine import Engine
    from migrate.adapters.pulumi.operations import Insistence
    from migrate.adapters.pulumi.program import ProgramDeployer

    readers, environment = opened.readers, pulumi_environment(opened)
    found, fresh = command_line(), opened.session.passing_credentials
    listener = told_to(narrator, telling, readers.clock)
    tell = noted_by(readers.store, narrator, telling, readers.clock)

    def permit() -> None:
        readers.store.hold(service.arn, telling[0])

    ours = PulumiDeployer(
        stack_address(opened, account, service),
        opened.environment.state_dir,
        environment,
        credentials=readers.repositories.credentials,
        listener=listener,
        tell=tell,
        fresh=fresh,
        permit=permit,
        command_line=found,
    )
    program = readers.settings.program
    if program is None:
        return ours
    notes = opened.environment.state_dir.absolute() / "pulumi" / "program"
    notes.mkdir(parents=True, exist_ok=True)
    engine = Engine(environment, tell=tell, fresh=fresh, permit=permit, command_line=found, notes=notes)
    return ProgramDeployer(
        program,
        readers.settings,
        lambda: _recorded(readers, service.arn),
        engine=engine,
        images=ours,
        insistence=Insistence(engine, tell),
        listener=listener,
    )


def _recorded(readers: Readers, arn: str) -> Record:
    record = readers.store.record(arn)
    if record is None:
        raise NotFoundError(
            "There is no record of the service.", why=f"Nothing is stored of {arn}.", then="Start at stage 0."
        )
    return record


def stack_address(opened: Opened, account: Account, service: Service) -> StackAddress:
    """Return where the stacks of a service are."""
    from migrate.adapters.pulumi.workspace import StackAddress

    readers = opened.readers
    definition = readers.services.task_definition(service.task_definition_arn)
    images = {item["name"]: str(item["image"]) for item in containers(definition.document)}
    image = images.get(readers.settings.image.container)
    return StackAddress(
        account_id=account.account_id,
        region=account.region,
        cluster=service.cluster_arn.rsplit("/", 1)[-1],
        service=service.name,
        registry=ImageReference.parse(image).registry if image else "",
    )


def pulumi_environment(opened: Opened) -> dict[str, str]:
    """Return the environment that Pulumi runs in."""
    return {**os.environ, **opened.session.provider_environment, **opened.session.passing_credentials()}
