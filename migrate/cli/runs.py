"""What apply and rollback share: asking first, and saying how it ended."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from migrate.errors import HeldError

if TYPE_CHECKING:
    from migrate.cli.options import Options
    from migrate.core.outcome import RunOutcome
    from migrate.workflows.runtime import Runtime


def confirmed(options: Options, runtime: Runtime, stage: int, *, yes: bool) -> None:
    """Show the stage and ask; with ``--yes`` do neither.

    Raises BlockedError for a stage out of order, HeldError when nobody says yes.
    """
    if yes:
        return
    from migrate.core.findings import blocking
    from migrate.core.stages import Stage, may_apply
    from migrate.render import text
    from migrate.workflows.plan import look

    plan = look(runtime)
    may_apply(plan.record.position, Stage(stage))
    if plan.record.position.entered is None and blocking(plan.findings, stage):
        # There is nothing to say yes to; the run itself says why.
        return
    click.echo(
        options.rendered(text.stage(plan.stage(Stage(stage)), plan.findings), error_stream=True), err=True, nl=False
    )
    _asked(f"Apply stage {stage} to {plan.service_arn}?")


def rebaseline_confirmed(options: Options, runtime: Runtime, *, yes: bool) -> None:
    """Show what the new baseline would be and ask; with ``--yes`` do neither. Raises HeldError when nobody says yes."""
    if yes:
        return
    from migrate.core.stages import Stage
    from migrate.render import text
    from migrate.workflows.plan import look_afresh

    plan = look_afresh(runtime)
    click.echo(
        options.rendered(text.stage(plan.stage(Stage.BASELINE), plan.findings), error_stream=True), err=True, nl=False
    )
    revision = plan.record.baseline.service.task_definition_arn.rsplit("/", 1)[-1]
    _asked(f"Make {revision}, which runs now, the new original of {plan.service_arn}?")


def rollback_confirmed(options: Options, runtime: Runtime, to: int | None, *, yes: bool) -> None:
    """Say what the way back is and ask; with ``--yes`` do neither. Raises HeldError when nobody says yes."""
    if yes:
        return
    from migrate.render import text
    from migrate.workflows.status import read_status

    click.echo(options.rendered(text.status(read_status(runtime)), error_stream=True), err=True, nl=False)
    where = "one stage back" if to is None else ("to the original" if to < 0 else f"to stage {to}")
    _asked(f"Roll back {where}?")


def agreed(question: str) -> None:
    """Ask. Raises HeldError when nobody says yes."""
    _asked(question)


def ended(options: Options, outcome: RunOutcome) -> int:
    """Say how a run ended, on stdout, and return its exit code."""
    from migrate.render import structured, text

    if options.output == "json":
        click.echo(structured.to_json(structured.outcome_document(outcome)))
    else:
        click.echo(options.rendered(text.outcome(outcome)), nl=False)
    return outcome.exit_code


def _asked(question: str) -> None:
    if not sys.stdin.isatty():
        raise HeldError(
            "Nobody is there to say yes.",
            why="Standard input is no terminal.",
            then="Run it in a terminal, or give --yes. Nothing was changed.",
        )
    if not click.confirm(question, err=True):
        raise HeldError("Nothing was changed.", why="You did not say yes.", then="Run it again when you are ready.")
