"""What the verbs that write share: asking first, carrying it out, and saying how it ended."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from migrate.cli.answers import said_yes
from migrate.errors import HeldError

if TYPE_CHECKING:
    from migrate.cli.attendant import Attendant
    from migrate.cli.options import Options
    from migrate.core.evidence import Run
    from migrate.core.outcome import RunOutcome
    from migrate.workflows.runtime import Runtime, Writing


def confirmed(options: Options, runtime: Runtime, stage: int, *, yes: bool) -> None:
    """Show the stage and ask; with ``--yes`` do neither.

    Raises BlockedError for a stage out of order, WorldChangedError for a saved plan that is no longer true, HeldError
    when nobody says yes.
    """
    if yes:
        return
    from migrate.core.findings import blocking
    from migrate.core.plan.detail import stage_detail
    from migrate.core.stages import Stage, may_apply
    from migrate.render.plan import stage as shown_stage
    from migrate.workflows.plan import look, refuse_a_stale_plan, save

    plan = look(runtime)
    refuse_a_stale_plan(runtime.store, plan)
    may_apply(plan.record.position, Stage(stage))
    if plan.record.position.entered is None and blocking(plan.findings, stage):
        # There is nothing to say yes to; the run itself says why.
        return
    shown = shown_stage(plan, stage_detail(plan, Stage(stage), runtime.settings), with_findings=True)
    click.echo(options.rendered(shown, error_stream=True), err=True, nl=False)
    _asked(f"Apply stage {stage} to {plan.service_arn}?")
    # What was said yes to is what the run is held to.
    save(runtime.store, [(plan, runtime.settings)])


def rebaseline_confirmed(options: Options, runtime: Runtime, *, yes: bool) -> None:
    """Show what the new baseline would be and ask; with ``--yes`` do neither. Raises HeldError when nobody says yes."""
    if yes:
        return
    from migrate.core.plan.detail import stage_detail
    from migrate.core.stages import Stage
    from migrate.render.plan import stage as shown_stage
    from migrate.workflows.plan import look_afresh

    plan = look_afresh(runtime)
    shown = shown_stage(plan, stage_detail(plan, Stage.BASELINE, runtime.settings), with_findings=True)
    click.echo(options.rendered(shown, error_stream=True), err=True, nl=False)
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


def carried_out(attendant: Attendant, work: Writing, title: str, workflow: str, *arguments: int | None) -> RunOutcome:
    """Carry out what the operator asked for, or take up what was interrupted when he asked the same."""
    from migrate.core.run.unfinished import interrupted
    from migrate.workflows.engine import Asked, engine, queues_for
    from migrate.workflows.resume import carried_out as carry_out

    back, asked = workflow == "rollback", Asked(workflow, arguments)
    queues = queues_for(interrupted(work.runtime.store.runs(work.run.service)))
    with (
        attendant.attending(title, work.runtime.orders, going_back=back),
        engine(work.database_url, work.runtimes, queues=queues) as running,
    ):
        return carry_out(running, work.runtimes, work.run, asked)


def to_resume(work: Writing, prefix: str | None) -> Run | None:
    """Return the run that is to be taken up, None where it, or every run of the service, has come to its end.

    Raises NotFoundError or SettingsError where the id means no run, several, or one of another service.
    """
    from migrate.core.run.history import only_run
    from migrate.core.run.unfinished import interrupted
    from migrate.errors import SettingsError

    store, service = work.runtime.store, work.run.service
    newest = interrupted(store.runs(service))
    if prefix is None:
        return newest
    wanted = only_run(prefix, store.runs_like(prefix))
    if wanted.service != service:
        raise SettingsError(
            f"Run {wanted.id} is not of the service that the settings name.",
            why=f"It is of {wanted.service}, and migrate.toml is of {service}.",
            then="Run `migrate resume` with the settings of that service (--config).",
        )
    return newest if newest is not None and newest.id == wanted.id else None


def resumed(attendant: Attendant, work: Writing, former: Run) -> RunOutcome:
    """Take up a run that was interrupted."""
    from migrate.workflows.engine import engine, queues_for
    from migrate.workflows.resume import taken_up

    title, orders = f"{former.verb} of {former.service.partition('service/')[2]}", work.runtime.orders
    with (
        attendant.attending(title, orders, going_back=former.verb == "rollback"),
        engine(work.database_url, work.runtimes, queues=queues_for(former)) as running,
    ):
        return taken_up(running, work.runtimes, former, work.run)


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
    if not said_yes(question):
        raise HeldError("Nothing was changed.", why="You did not say yes.", then="Run it again when you are ready.")
