"""`migrate check`."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from migrate.cli.options import current, fail_on_option, settings_of
from migrate.errors import SettingsError

if TYPE_CHECKING:
    from migrate.core.check import CheckReport
    from migrate.core.facts import TaskDefinition
    from migrate.wiring import Place

_LARGEST_FILE = 4 << 20


@click.command("check", short_help="Find what stands in the way of ARM64 and Spot.")
@click.argument("images", metavar="[IMAGE]...", nargs=-1)
@click.option(
    "--task-definition",
    "definition",
    metavar="FILE",
    help="A task definition as JSON, as the AWS CLI prints or takes it; - is standard input.",
)
@click.option(
    "--dockerfile",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A Dockerfile that is to be built for arm64 too; its directory is the build context.",
)
@fail_on_option
@settings_of
def command(images: tuple[str, ...], definition: str | None, dockerfile: Path | None, fail_on: str | None) -> int:
    """Tell whether a service can run on ARM64 and on Spot, and if not, which container, file or setting stops it.

    Without arguments the service of migrate.toml is looked at. With --task-definition or --dockerfile a file is, and
    with IMAGE one image or more; these need no migrate.toml, and AWS only for images in ECR. Nothing is changed.

    \b
    Examples:
      migrate check
      migrate check --fail-on warn --output json
      migrate check --task-definition task-definition.json
      migrate check --dockerfile app/Dockerfile
      migrate check public.ecr.aws/nginx/nginx:1.29 docker.io/library/redis:8
    """
    from migrate.core.check import FailOn, fails
    from migrate.errors import ExitCode

    if sum((bool(images), definition is not None, dockerfile is not None)) > 1:
        raise click.UsageError("IMAGE, --task-definition and --dockerfile are different questions: ask one of them.")
    options = current()
    report = _report(options.place, images, definition, dockerfile)
    if options.output == "json":
        from migrate.render import structured

        click.echo(structured.to_json(structured.check_document(report)))
    else:
        from migrate.render import findings

        click.echo(options.rendered(findings.check(report)), nl=False)
    return ExitCode.BLOCKED if fails(report.findings, FailOn(fail_on or FailOn.BLOCK)) else ExitCode.DONE


def _report(place: Place, images: tuple[str, ...], definition: str | None, dockerfile: Path | None) -> CheckReport:
    from migrate import machine_wiring, wiring
    from migrate.core.image.index import ImageReference
    from migrate.workflows.check import check_dockerfile, check_images, check_service, check_task_definition

    if definition is not None:
        read = _task_definition(definition)
        with machine_wiring.inspecting(place) as looking:
            return check_task_definition(looking.images, read)
    if dockerfile is not None:
        if not dockerfile.is_file():
            raise SettingsError(f"{dockerfile} is no file.", then="Name a Dockerfile that is there.")
        with machine_wiring.inspecting(place) as looking:
            return check_dockerfile(looking.builds, looking.registry, dockerfile)
    if images:
        references = tuple(dict.fromkeys(ImageReference.parse(image) for image in images))
        with machine_wiring.inspecting(place) as looking:
            return check_images(looking.images, references, looking.files)
    with wiring.reading(place) as readers:
        return check_service(readers)


def _task_definition(path: str) -> TaskDefinition:
    from migrate.core.task_definition_file import read_task_definition

    name = "Standard input" if path == "-" else path
    try:
        with click.open_file(path, "rb") as file:
            content = _limited(file, name)
    except OSError as error:
        raise SettingsError(
            f"{name} cannot be read.",
            why=f"{error.strerror or error}.",
            then="Name a file that is there, or - for standard input.",
            runbook="errors#task-definition-file",
        ) from error
    try:
        return read_task_definition(content.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{name} is not text.",
            why=f"Byte {error.start} is not UTF-8.",
            then="Give JSON as `aws ecs describe-task-definition` prints it.",
            runbook="errors#task-definition-file",
        ) from error


def _limited(file: IO[bytes], name: str) -> bytes:
    """Return what a file holds; ECS itself takes no task definition of more than 64 KiB (ECS service quotas)."""
    content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise SettingsError(
            f"{name} is larger than {_LARGEST_FILE >> 20} MiB.",
            why="A task definition has at most 64 KiB.",
            then="Name the file of one task definition.",
            runbook="errors#task-definition-file",
        )
    return content
