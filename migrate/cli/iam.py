"""`migrate iam`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from migrate.cli.options import current, settings_of

if TYPE_CHECKING:
    from migrate.core.permission.policy import Scope

_VERBS = ("init", "plan", "check", "status", "gate", "apply", "rollback", "finish", "stack")


@click.command("iam", short_help="Print the least IAM policy for each verb.")
@click.option(
    "--verb",
    "verbs",
    type=click.Choice(_VERBS),
    multiple=True,
    help="The verb that the policy is for; may be given more than once. Without it: all.",
)
@click.option("--stage", type=click.IntRange(0, 3), help="Narrow apply and rollback to one stage.")
@click.option("--look", is_flag=True, help="Ask AWS for account, task definition, roles and repository.")
@settings_of
def command(verbs: tuple[str, ...], stage: int | None, look: bool) -> int:
    """Print the least IAM policy that the verbs need, as JSON, from the calls that they really make.

    Resources are as narrow as migrate.toml allows, and with --look as narrow as the service itself allows. Without
    --look AWS is not asked, so that no credentials are needed.

    \b
    Examples:
      migrate iam
      migrate iam --verb plan --verb status
      migrate iam --verb apply --stage 1 --look
    """
    from migrate import wiring
    from migrate.core.permission.needed import Verb, permissions_of
    from migrate.core.permission.policy import policy, without_use
    from migrate.errors import ExitCode

    options = current()
    scope, settings = wiring.policy_scope(options.place, look=look)
    useless = without_use(settings) if settings else frozenset()
    wanted = permissions_of((Verb(name) for name in verbs or _VERBS), stage)
    made = policy((item for item in wanted if item.action not in useless), scope)
    click.echo(json.dumps(made, indent=2))
    if options.output != "json":
        for note in _notes(made, scope, look=look):
            click.echo(f"Note: {note}", err=True)
    return ExitCode.DONE


def _notes(made: dict[str, object], scope: Scope, *, look: bool) -> Iterator[str]:
    """Yield what a reader of the policy should know."""
    from migrate.core.permission.policy import ANY, LARGEST_POLICY, size

    if scope.service == ANY:
        yield "There is no migrate.toml here, so cluster and service stand as wildcards."
    if not look:
        yield "Account, task definition, roles and repository stand as wildcards; --look fills them in."
    if size(made) > LARGEST_POLICY:
        yield f"It has {size(made)} characters, and a managed policy holds {LARGEST_POLICY}: make one for each verb."
    yield "What a Pulumi backend on S3 needs, or a key that encrypts the repository, is not in it."
