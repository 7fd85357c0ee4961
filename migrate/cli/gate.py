"""`migrate gate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrate.cli.options import current, plain_option, settings_of

if TYPE_CHECKING:
    from migrate.cli.attendant import Attendant
    from migrate.cli.options import Options
    from migrate.core.judgement import Judgement
    from migrate.core.stages import Stage


@click.command("gate", short_help="Judge what runs now by the gate of a stage.")
@click.option(
    "--stage", type=click.IntRange(0, 3), required=True, help="0 baseline, 1 image, 2 architecture, 3 capacity."
)
@click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write every check to this file as JUnit XML, too."
)
@plain_option
@settings_of
def command(stage: int, junit: Path | None, plain: bool) -> int:
    """Judge what runs now: that it is what the stage plans, and only that, and that it passes the stage's gate.

    Nothing is changed, and no stage is proven by it: it is for the job of a pipeline that has just deployed. Without a
    record of the service, the stage is compared with what runs. 0: it passes. 6: it fails, or leaves a doubt. 8: it is
    not what the stage plans.

    \b
    Examples:
      migrate gate --stage 2
      migrate gate --stage 3 --output json --junit gate.xml
    """
    from migrate.cli.runs import ended
    from migrate.core.stages import Stage
    from migrate.errors import MigrateError
    from migrate.render import judgement, structured

    options = current()
    try:
        found = _judged(options, options.attendant(plain=plain), Stage(stage))
    except MigrateError as error:
        _written(junit, judgement.junit_of_error(error, Stage(stage)))
        raise
    _written(junit, judgement.junit(found, Stage(stage)))
    if options.output == "json":
        click.echo(structured.to_json(judgement.gate_document(found)))
        return found.outcome.exit_code
    return ended(options, found.outcome)


def _judged(options: Options, attendant: Attendant, stage: Stage) -> Judgement:
    from migrate import wiring
    from migrate.core.run.unfinished import JUDGING
    from migrate.workflows.judge import judge_now

    with wiring.writing(options.place, JUDGING, stage, attendant) as work:
        title = f"gate of {stage.named} of {work.run.service.partition('service/')[2]}"
        with attendant.attending(title, work.runtime.orders):
            return judge_now(work.runtime, work.run)


def _written(path: Path | None, content: bytes) -> None:
    if path is None:
        return
    from migrate.errors import SettingsError

    try:
        path.write_bytes(content)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written.", why=str(error), then="Give --junit a file in a directory that is there."
        ) from error
