"""`migrate adopt`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrate.cli.options import current, settings_of

if TYPE_CHECKING:
    from migrate.cli.options import Options
    from migrate.core.stack.docker_state import Adoption
    from migrate.stack_state_port import StackState


@click.command("adopt", short_help="Bring a team's Pulumi state from pulumi-docker to docker-build.")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--directory", type=click.Path(path_type=Path, file_okay=False), help="The program's folder; without it, this one."
)
@click.option("--stack", help="The stack; without it, the one that is selected there.")
@click.option("--preview", is_flag=True, help="Only show what would be written.")
@click.option("--yes", is_flag=True, help="Do not ask; for programs.")
@settings_of
def command(file: Path | None, directory: Path | None, stack: str | None, preview: bool, yes: bool) -> int:
    """Let docker-build take over the images that pulumi-docker has pushed, in the state of your own Pulumi program.

    Each docker.Image becomes the docker-build Image of the same name, with the digest that was pushed, and a
    RegistryImage is retained: dropping the old ones from the code then deletes and creates nothing. Only the state is
    written; the one before is kept beside it. No registry is asked or touched, and neither is AWS. FILE is a state that
    `pulumi stack export` has written; without it Pulumi itself is asked, in your own environment.

    \b
    Examples:
      migrate adopt --directory infra --stack prod --preview
      migrate adopt --directory infra --stack prod
      migrate adopt before.json --preview
    """
    from migrate import machine_wiring
    from migrate.cli.runs import agreed
    from migrate.errors import ExitCode
    from migrate.render import adoption
    from migrate.workflows.adopt import bring_about, look

    if file is not None and (directory is not None or stack is not None):
        raise click.UsageError("FILE is a state by itself: give it, or --directory and --stack.")
    options = current()
    state = machine_wiring.stack_state(file, directory, stack)
    seen = look(state, machine_wiring.docker_build_version())
    told = seen.adoption
    if options.output == "text":
        click.echo(options.rendered(adoption.shown(told)), nl=False)
    kept = ""
    if told.changes and not preview:
        if not yes:
            agreed(f"Write this to {state.place}?")
        kept = bring_about(state, seen)
    _told(options, told, kept, state)
    return ExitCode.DONE


def _told(options: Options, told: Adoption, kept: str, state: StackState) -> None:
    from migrate.render import adoption, structured

    if options.output == "json":
        click.echo(structured.to_json(adoption.adoption_document(told, kept)))
    else:
        click.echo(options.rendered(adoption.ended(told, kept, state.way_back(kept), state.import_command())), nl=False)
