"""`migrate doctor`."""

from __future__ import annotations

import click

from migrate.cli.options import current, settings_of


@click.command("doctor", short_help="Look whether this machine has what a migration needs.")
@settings_of
def command() -> int:
    """Look at tools and their versions, access and permissions, region, clock, database, backend and disk.

    Nothing is changed. It works without a migrate.toml too; exit 3 means that something stands in the way, and every
    line that is not well says what to do next.

    \b
    Examples:
      migrate doctor
      migrate doctor --output json
    """
    from migrate import doctor_wiring
    from migrate.render import doctor, structured
    from migrate.workflows.doctor import diagnose

    options = current()
    found = diagnose(doctor_wiring.machine(options.place))
    if options.output == "json":
        click.echo(structured.to_json(doctor.doctor_document(found)))
    else:
        click.echo(options.rendered(doctor.diagnoses(found)), nl=False)
    return found.exit_code
