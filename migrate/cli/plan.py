"""`migrate plan`."""

from __future__ import annotations

import click

from migrate.cli.options import current, fail_on_option, settings_of


@click.command("plan", short_help="Show what each stage will change.")
@fail_on_option
@settings_of
def command(fail_on: str | None) -> int:
    """Look at the service and show, for each stage: what changes, what is in its way, its gate and its way back.

    Nothing is changed. Exit 3 means that a finding blocks a stage. The plan is saved; `migrate apply` refuses (exit 8)
    when the service has changed since.

    \b
    Examples:
      migrate plan
      migrate plan --fail-on warn --output json
    """
    from migrate import wiring
    from migrate.core.check import FailOn, fails
    from migrate.core.plan_detail import stage_details
    from migrate.errors import ExitCode
    from migrate.render import owner, structured
    from migrate.render import plan as plans

    options = current()
    with wiring.reading(options.place) as readers:
        from migrate.workflows.plan import plan_migration

        plan, settings = plan_migration(readers), readers.settings
        details = stage_details(plan, settings)
    theirs = settings.service.is_external
    if options.output == "json":
        owned = owner.owner_document(plan.record, settings) if theirs else None
        click.echo(structured.to_json(structured.plan_document(plan, details, owned)))
    else:
        click.echo(options.rendered(plans.plan(plan, details)), nl=False)
        if theirs:
            click.echo(options.rendered(owner.owner_plan(plan.record, settings)), nl=False)
    return ExitCode.BLOCKED if fails(plan.findings, FailOn(fail_on or FailOn.BLOCK)) else ExitCode.DONE
