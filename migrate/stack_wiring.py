"""The composition root of plain `pulumi` on a stack of one service."""

from __future__ import annotations

from collections.abc import Sequence

from migrate.deployer_wiring import pulumi_environment, stack_address
from migrate.errors import BlockedError
from migrate.wiring import Place, opened_place


def run_pulumi(place: Place, stack: str, arguments: Sequence[str]) -> int:
    """Run the Pulumi command line on one stack and return its exit code."""
    from migrate.adapters.pulumi.commands import run_stack_command
    from migrate.adapters.pulumi.workspace import StackKind

    with opened_place(place) as opened:
        if opened.readers.settings.service.is_external:
            raise BlockedError(
                "The service has no stack of ours.",
                why='The settings say owner = "external": other code deploys it.',
                then="Use the owner's own tool; `migrate plan` shows what it has to change.",
                runbook="errors#owner-changed",
            )
        program = opened.readers.settings.program
        if program is not None and (stack == "service" or program.image):
            raise BlockedError(
                f"The {stack} is in no stack of ours.",
                why=f"It stands in the program in {program.directory}, stack {program.stack}.",
                then=f"Run `pulumi --cwd {program.directory} --stack {program.stack}` there.",
                runbook="owner#program",
            )
        account = opened.readers.services.account()
        wanted = opened.readers.settings.service
        service = opened.readers.services.service(wanted.cluster, wanted.name)
        return run_stack_command(
            stack_address(opened, account, service),
            opened.environment.state_dir,
            pulumi_environment(opened),
            StackKind(stack),
            arguments,
            credentials=opened.readers.repositories.credentials,
        )
