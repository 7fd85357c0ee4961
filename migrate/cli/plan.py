"""`migrate plan`."""

from __future__ import annotations

from pathlib import Path

import click

from migrate.cli.options import current, fail_on_option, settings_and_markdown_of


@click.command("plan", short_help="Show what each stage will change.")
@click.option(
    "-o",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it to this file instead, whole or not at all; without --output its name tells the format (.json, .md).",
)
@fail_on_option
@settings_and_markdown_of
def command(file: Path | None, fail_on: str | None) -> int:
    """Look at the service and show, for each stage: what changes, what is in its way, its gate and its way back.

    Nothing is changed. Exit 3 means that a finding blocks a stage. The plan is saved; `migrate apply` refuses (exit 8)
    when the service has changed since. A plan in a JSON file may be signed, and given to `migrate apply --plan`.

    \b
    Examples:
      migrate plan
      migrate plan --output markdown -o plan.md
      migrate plan -o plan.json
      migrate plan --fail-on warn --output json
    """
    from rich.console import Group

    from migrate import wiring
    from migrate.cli.files import put
    from migrate.core.check import FailOn, fails
    from migrate.core.plan.binding import binding
    from migrate.core.plan.detail import stage_details
    from migrate.errors import ExitCode
    from migrate.render import owner, program, structured
    from migrate.render import plan as plans
    from migrate.render.plan_markdown import plan_markdown
    from migrate.render.text import shown
    from migrate.workflows.plan import plan_migration

    options = current()
    named = {".json": "json", ".md": "markdown"}.get(file.suffix if file else "", "text")
    output = named if options.output == "text" else options.output
    with wiring.reading(options.place) as readers:
        plan, settings = plan_migration(readers), readers.settings
    details, bound = stage_details(plan, settings), binding(plan, settings)
    theirs = settings.service.is_external
    if output == "json":
        owned = owner.owner_document(plan.record, settings) if theirs else None
        held = program.program_document(plan.record, settings, settings.program) if settings.program else None
        told = f"{structured.to_json(structured.plan_document(plan, details, bound, owned, held))}\n"
    else:
        parts = [owner.owner_plan(plan.record, settings)] if theirs else []
        if settings.program is not None:
            parts.append(program.program_plan(plan.record, settings, settings.program))
        if output == "markdown":
            told = plan_markdown(plan, details, [shown(part, width=_WIDTH_OF_A_FILE, colour=False) for part in parts])
        elif file is not None:
            told = shown(Group(plans.plan(plan, details), *parts), width=_WIDTH_OF_A_FILE, colour=False)
        else:
            told = options.rendered(Group(plans.plan(plan, details), *parts))
    if file is None:
        click.echo(told, nl=False)
    else:
        put(file, told)
    return ExitCode.BLOCKED if fails(plan.findings, FailOn(fail_on or FailOn.BLOCK)) else ExitCode.DONE


_WIDTH_OF_A_FILE = 100
