"""`migrate show RUN`."""

from __future__ import annotations

import click

from migrate.cli.options import current, settings_of


@click.command("show", short_help="Show one run: who, when, what was decided on which evidence.")
@click.argument("run")
@settings_of
def command(run: str) -> int:
    """Show one run whole, for an audit: who and when, every act with its outcome, the gate's samples, the verdict.

    RUN is its id, or as much of the beginning as no other run has. Only the database is asked, not AWS; samples of a
    gate that say the same are one entry.

    \b
    Examples:
      migrate history
      migrate show 7d1c0a54
      migrate show 7d1c0a54 --output json
    """
    from migrate import wiring
    from migrate.core.run.audit import audit
    from migrate.core.run.history import only_run
    from migrate.errors import ExitCode
    from migrate.render import history, structured

    options = current()
    with wiring.remembering(options.place) as (store, _, _):
        found = only_run(run, store.runs_like(run))
        told = audit(found, store.events(found.id))
    if options.output == "json":
        click.echo(structured.to_json(structured.audit_document(told)))
    else:
        click.echo(options.rendered(history.audit(told)), nl=False)
    return ExitCode.DONE
