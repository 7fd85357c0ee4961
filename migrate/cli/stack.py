"""`migrate stack`."""

from __future__ import annotations

import click

from migrate.cli.options import current, settings_of


@click.command(
    "stack", short_help="Run pulumi on one of the two stacks.", context_settings={"ignore_unknown_options": True}
)
@click.argument("stack", type=click.Choice(["image", "service"]))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@settings_of
def command(stack: str, arguments: tuple[str, ...]) -> int:
    """Run `pulumi ARGUMENTS` on a stack of this service, with its backend, state and inputs in place.

    \b
    Examples:
      migrate stack image -- preview
      migrate stack service -- stack export
    """
    from migrate.stack_wiring import run_pulumi

    return run_pulumi(current().place, stack, arguments)
