"""`migrate plan`."""

from __future__ import annotations

import click

from migrate.cli.options import current, settings_of


@click.command("plan", short_help="Show what each stage will change.")
@settings_of
def command() -> int:
    """Look at the service and show, for each stage: what changes, what is in its way, its gate and its way back.

    Nothing is changed. The plan is saved; `migrate apply` refuses (exit 8) when the service has changed since.

    \b
    Examples:
      migrate plan
      migrate plan --output json
    """
    from migrate import wiring
    from migrate.core.findings import blocking
    from migrate.errors import ExitCode
    from migrate.render import structured, text

    options = current()
    with wiring.reading(options.place) as readers:
        from migrate.workflows.plan import plan_migration

        plan = plan_migration(readers)
    if options.output == "json":
        click.echo(structured.to_json(structured.plan_document(plan)))
    else:
        click.echo(options.rendered(text.plan(plan)), nl=False)
    return ExitCode.BLOCKED if blocking(plan.findings, 0) else ExitCode.DONE
