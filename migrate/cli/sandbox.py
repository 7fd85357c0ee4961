"""``migrate sandbox``: an AWS account, a registry, a builder and an engine on loopback, to try things in."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from migrate.sandbox.sandbox import Sandbox

_as_json = click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the result is written.",
)


@click.group("sandbox")
def command() -> None:
    """Run a whole AWS account with registry, builder and engine on loopback.

    Its files lie in .migrate/sandbox, or in the folder that MIGRATE_SANDBOX_DIR names.
    """


@command.command("up")
@click.option("--real-aws-plugin", is_flag=True, help="Take the real pulumi-aws plugin where this machine has it.")
@click.option(
    "--containers",
    is_flag=True,
    help="Run every task as a real container of its architecture, behind a load balancer. Takes Linux, QEMU for the "
    "other architecture, and root or a Docker engine; the first time builds an engine in about 5 min.",
)
@_as_json
def up(real_aws_plugin: bool, containers: bool, output: str) -> None:
    """Start the sandbox, or the parts of it that have died; one that runs is left as it is.

    \b
    Examples:
      migrate sandbox up
      migrate sandbox up --containers
    """
    from migrate.sandbox.sandbox import Sandbox

    running = Sandbox.start(real_aws=real_aws_plugin, containers=containers)
    _show(running, running.layout.root, output)
    if output == "text":
        click.echo('\nTo work in it:  eval "$(migrate sandbox env)"')


@command.command("down")
@_as_json
def down(output: str) -> None:
    """End every process of the sandbox; what was in its AWS account is gone, its files stay.

    \b
    Examples:
      migrate sandbox down
    """
    from migrate.sandbox.sandbox import stop

    ended = stop()
    if output == "json":
        click.echo(json.dumps({"ended": ended}))
    else:
        click.echo(f"The sandbox is down: {ended} processes ended." if ended else "The sandbox was not running.")


@command.command("status")
@_as_json
def status(output: str) -> None:
    """Say what runs, where, and where its logs are.

    \b
    Examples:
      migrate sandbox status
      migrate sandbox status --output json
    """
    from migrate.errors import NotFoundError
    from migrate.sandbox.layout import default_directory
    from migrate.sandbox.sandbox import Sandbox

    try:
        found = Sandbox.open()
    except NotFoundError:
        found = None
    _show(found, default_directory(), output)


@command.command("env")
def env() -> None:
    """Print the shell commands after which this shell's AWS, Pulumi and Docker clients work in the sandbox.

    \b
    Examples:
      migrate sandbox env
    """
    from migrate.sandbox.sandbox import OUTSIDE_VARIABLES, Sandbox

    found = Sandbox.open()
    click.echo(f"unset {' '.join(OUTSIDE_VARIABLES)}")
    for name, value in found.settings().items():
        click.echo(f"export {name}={shlex.quote(value)}")
    click.echo(f'export PATH={shlex.quote(":".join(found.state.path_directories))}:"$PATH"')


@command.command("seed")
@_as_json
def seed(output: str) -> None:
    """Put the demo's service into the sandbox: four amd64 tasks on Fargate behind a load balancer, with one alarm.

    \b
    Examples:
      migrate sandbox seed
      migrate sandbox seed --output json
    """
    from dataclasses import asdict

    from migrate.sandbox.demo.seed import seed as put
    from migrate.sandbox.sandbox import Sandbox

    seeded = put(Sandbox.open())
    if output == "json":
        click.echo(json.dumps(asdict(seeded), default=str))
    else:
        click.echo(f"Service {seeded.service} runs in cluster {seeded.cluster} from {seeded.image}.")


def _show(found: Sandbox | None, directory: Path, output: str) -> None:
    parts = found.parts() if found else ()
    running = bool(parts) and all(part.running for part in parts)
    if output == "json":
        content = {
            "directory": str(directory),
            "running": running,
            "endpoint": found.endpoint if found else None,
            "registry_host": found.registry_host if found else None,
            "builder": found.builder if found else None,
            "balancer": (found.balancer or None) if found else None,
            "environment": found.settings() if found else {},
            "path": list(found.state.path_directories) if found else [],
            "parts": [
                {
                    "name": part.name,
                    "running": part.running,
                    "pid": part.pid,
                    "address": part.address,
                    "log": str(part.log),
                }
                for part in parts
            ],
        }
        click.echo(json.dumps(content))
        return
    if found is None:
        click.echo(f"There is no sandbox in {directory}. Start one with `migrate sandbox up`.")
        return
    click.echo(f"The sandbox in {directory} {'is up' if running else 'is not whole: `migrate sandbox up` mends it'}.")
    for part in parts:
        running_as = f"running as process {part.pid}" if part.pid else "running in the Docker engine"
        state = running_as if part.running else "not running"
        click.echo(f"  {part.name:<10} {state:<28} {part.address}   log: {part.log}")
    click.echo(f"  images     {found.registry_host}/<repository>:<tag>")
    if found.balancer:
        click.echo(f"  balancer   {found.balancer}")
    click.echo(f"  pulumi     {found.layout.pulumi_state.as_uri()}")
