"""`migrate report`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from migrate.cli.options import current, settings_of


@click.command("report", short_help="Write all that is known of a run into one HTML file.")
@click.argument("run", required=False)
@click.option(
    "-o",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the HTML goes; without it to stdout, unless that is a terminal.",
)
@settings_of
def command(run: str | None, file: Path | None) -> int:
    """Report on one run: timeline, tasks, every check with its limits, events, findings, cost, decisions, versions.

    RUN is its id, or as much of the beginning as no other run has; without it the last run of the service. The file
    opens offline, in any browser, holds no script and fetches nothing. Only the database is asked, not AWS.

    \b
    Examples:
      migrate report -o report.html
      migrate report 7d1c0a54 -o report.html
      migrate report --output json
    """
    from migrate import wiring
    from migrate.cli.files import put
    from migrate.core.run.history import last_run, of_service, only_run
    from migrate.core.run.report import report
    from migrate.errors import ExitCode, SettingsError

    options = current()
    if file is None and options.output != "json" and sys.stdout.isatty():
        raise SettingsError(
            "A report is a page for a browser, and no file was named for it.",
            why="Standard output is a terminal, which would show thousands of lines of HTML.",
            then="Run `migrate report -o report.html` and open that file; `migrate history` lists the runs.",
        )
    with wiring.remembering(options.place) as (store, settings, region):
        if run is None:
            services = of_service(settings.service, region, store.services())
            found = last_run(settings.service.name, [item for service in services for item in store.runs(service)])
        else:
            found = only_run(run, store.runs_like(run))
        told = report(found, store.events(found.id), store.runs(found.service))
    if options.output == "json":
        from migrate.render.structured import report_document, to_json

        text = f"{to_json(report_document(told))}\n"
    else:
        from migrate.render.report_page import page

        text = page(told)
    if file is None:
        click.echo(text, nl=False)
    else:
        put(file, text)
        click.echo(f"Wrote {file}.", err=True)
    return ExitCode.DONE
