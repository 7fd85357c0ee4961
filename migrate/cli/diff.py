"""`migrate diff`."""

from __future__ import annotations

import click

from migrate.cli.options import current, settings_of


@click.command("diff", short_help="Show both sides of every document that a stage is about.")
@click.option("--stage", type=click.IntRange(0, 3), help="This stage alone; otherwise all four.")
@settings_of
def command(stage: int | None) -> int:
    """Print task definition, service, and what else a stage is about, as AWS holds it before and after the stage.

    Whole documents, as the AWS API writes them, with what differs marked; `migrate plan` shows that alone. Values of
    environment variables and of log options are left out. Nothing is changed, and nothing saved.

    \b
    Examples:
      migrate diff
      migrate diff --stage 2
      migrate diff --stage 3 --output json
    """
    from migrate import wiring
    from migrate.core.plan.detail import stage_details
    from migrate.errors import ExitCode
    from migrate.render import structured
    from migrate.render.sides import sides
    from migrate.workflows.plan import look

    options = current()
    with wiring.reading(options.place) as readers:
        plan = look(readers)
        details = [item for item in stage_details(plan, readers.settings) if stage in (None, item.stage.value)]
    if options.output == "json":
        click.echo(structured.to_json(structured.diff_document(plan, details)))
    else:
        click.echo(options.rendered(sides(plan, details)), nl=False)
    return ExitCode.DONE
