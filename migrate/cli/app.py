"""The command group, and the one place where an error becomes words and an exit code."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from migrate import __version__
from migrate.cli.options import Options, settings_of
from migrate.errors import ExitCode, InterruptedRunError, MigrateError, SettingsError, ToolFaultError

_VERBS = {
    "init": "Look at a live service and write migrate.toml.",
    "plan": "Show what each stage will change, what is in its way, and save the plan.",
    "diff": "Show both sides of every document that a stage is about.",
    "check": "Find what stands in the way of ARM64 and Spot, of a service, a file or an image.",
    "iam": "Print the least IAM policy for each verb.",
    "doctor": "Look whether this machine has what a migration needs: tools, access, clock, database.",
    "apply": "Bring the service to a stage, prove it, and roll back what does not prove itself.",
    "gate": "Judge what runs now by the gate of a stage, for a CI job; nothing is changed.",
    "rollback": "Bring the service back to a smaller stage, or to the original.",
    "resume": "Take up a run that was interrupted: killed, cut off by a reboot, or stopped with Ctrl-C.",
    "finish": "End the migration, and print what stays as code for the owner's own tool.",
    "status": "Show where the service is, by what runs.",
    "history": "List the runs of the service, newest first.",
    "show": "Show one run: who, when, what was decided on which evidence.",
    "metrics": "Print where the service stands as Prometheus metrics.",
    "report": "Write all that is known of a run into one HTML file that opens offline.",
    "fleet": "Move many services by one set of rules: plan, apply, status, resume, rollback.",
    "worker": "Work on the fleets of a shared database.",
    "runbook": "Show a runbook, or walk through one, with this service's values put in.",
    "completion": "Print what lets a shell complete commands and options.",
    "adopt": "Bring the state of your own Pulumi program from pulumi-docker to docker-build.",
    "stack": "Run pulumi on one of the two stacks.",
    "sandbox": "Run a whole AWS account on this machine, for demos and tests.",
}
"""Verbs in the order of use, with their help; each lives in a file of its name, loaded when it is called."""

_OBJECTS_BEFORE_A_SEARCH = 50_000
"""New objects after which Python looks for garbage in cycles; its own 700 is for a process that begins empty."""

_EPILOG = """\
Exit codes: 0 done or nothing to do, 1 fault of the tool, 2 usage, 3 blocked by preflight or settings, 4 gate failed
and rolled back, 5 rollback not complete (page someone), 6 held for a person to decide, 7 another run holds the
service, 8 the world changed since the plan, 130 interrupted and resumable.
"""


class _Verbs(click.Group):
    """Loads a verb when it is called, so that help needs neither boto3 nor pulumi."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _VERBS:
            return None
        command: click.Command = importlib.import_module(f"migrate.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as unknown:
            # click suggests from the commands that are loaded, and here none is.
            raise click.NoSuchCommand(unknown.command_name, possibilities=_VERBS, ctx=ctx) from unknown

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))


@click.group(cls=_Verbs, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="migrate")
@settings_of
def cli() -> None:
    """Move an ECS service from amd64 to ARM64 and on to Spot, one reversible stage at a time.

    Start with `migrate init`, then `migrate plan`.
    """


def main() -> None:
    """Run the command line and exit; every error of ours leaves by its exit code, and none with a traceback."""
    # Modules and AWS's answers are a great many objects, hardly one of them in a cycle: searching them as often as
    # Python does by itself takes a quarter of a start's processor time, and once more at the end as much as the start
    # of Pulumi; the end of the process frees them all the same.
    gc.set_threshold(_OBJECTS_BEFORE_A_SEARCH)
    code = run(sys.argv[1:])
    gc.freeze()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line and return the exit code."""
    options = Options()
    try:
        return _invoked(arguments, options)
    except MigrateError as error:
        return _told(error, options)
    except BrokenPipeError:
        # The reader of our output has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except Exception as fault:  # noqa: BLE001 - the last resort: no traceback may reach an operator
        return _told(_fault(fault), options)


def _invoked(arguments: list[str], options: Options) -> int:
    try:
        result: Any = cli.main(args=arguments, prog_name="migrate", standalone_mode=False, obj=options)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as wrong:
        if not _json_asked(arguments):
            wrong.show()
            return ExitCode.USAGE
        # click stops at the first mistake, so that the options may not have been read yet.
        options.output = "json"
        where = wrong.ctx.command_path if isinstance(wrong, click.UsageError) and wrong.ctx else "migrate"
        raise SettingsError(wrong.format_message(), then=f"Try `{where} --help`.") from wrong
    except (KeyboardInterrupt, click.Abort) as stopped:
        raise InterruptedRunError("Stopped. Nothing is lost.", then="`migrate resume` goes on.") from stopped
    return int(result or ExitCode.DONE)


def _json_asked(arguments: list[str]) -> bool:
    return "--output=json" in arguments or ("--output", "json") in pairwise(arguments)


def _told(error: MigrateError, options: Options) -> int:
    if options.output == "json":
        from migrate.render.structured import error_document, to_json

        click.echo(to_json(error_document(error)))
    else:
        from migrate.render import text

        click.echo(options.rendered(text.error(error), error_stream=True), err=True, nl=False)
    return error.exit_code


def _fault(fault: Exception) -> MigrateError:
    # Only here: they would be a tenth of what `migrate --help` takes.
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="migrate-fault-", suffix=".txt", delete=False) as report:
        traceback.print_exception(fault, file=report)
    return ToolFaultError(
        f"migrate itself failed: {type(fault).__name__}.",
        why=str(fault)[:400],
        then=f"Run `migrate status` to see where the service is. Please report this with {Path(report.name)}.",
    )
