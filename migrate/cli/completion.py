"""`migrate completion SHELL`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_PROGRAM = "migrate"
_VARIABLE = "_MIGRATE_COMPLETE"
"""What click looks for when a shell asks (click documentation, "Shell Completion")."""


@click.command("completion", short_help="Print what lets a shell complete commands and options.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print a script after which SHELL completes commands, options and their values with Tab.

    Bash (4.4 or newer) and zsh read it from their start-up file: eval "$(migrate completion bash)". Fish reads it from
    ~/.config/fish/completions/migrate.fish.

    \b
    Examples:
      migrate completion bash
      migrate completion zsh
      migrate completion fish
    """
    from migrate.cli.app import cli
    from migrate.errors import ExitCode, ToolFaultError

    completion = get_completion_class(shell)
    if completion is None:
        raise ToolFaultError(f"click knows no completion for {shell}.", then="Please report this.")
    click.echo(completion(cli, {}, _PROGRAM, _VARIABLE).source())
    return ExitCode.DONE
