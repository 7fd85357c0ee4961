"""Checking: look and judge, and change nothing; of a service, of a task definition, images or a Dockerfile alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from migrate.core.build.facts import Builder
from migrate.core.check import CheckReport, Subject, report
from migrate.core.check_subjects import (
    NO_CONTAINER,
    dockerfile_only,
    image_only,
    no_reference,
    task_definition_only,
    without_the_stages,
)
from migrate.core.facts import Architecture, TaskDefinition
from migrate.core.image.binaries import ProcessOverrides
from migrate.core.image.index import ImageReference
from migrate.core.observation import ContainerImage
from migrate.core.plan.plan import make_plan
from migrate.core.preflight.build import crossing_findings
from migrate.core.settings import ImageSettings
from migrate.core.task_definition import containers, process_overrides
from migrate.errors import AccessError, MigrateError, SettingsError
from migrate.ports import BuildReader, ImageContents, ImageInspector, ImageRegistry
from migrate.workflows.plan import before_a_plan
from migrate.workflows.readiness import left_behind, read_files
from migrate.workflows.runtime import Readers

SPOT = "FARGATE_SPOT"


def check_service(runtime: Readers) -> CheckReport:
    """Return what stands in the way of the service of the settings. Raises as observe does."""
    observation, record = before_a_plan(runtime)
    plan = make_plan(observation, runtime.settings, record)
    architecture = observation.task_definition.runtime_platform.cpu_architecture
    return report(
        Subject.SERVICE,
        plan.service_arn,
        without_the_stages(plan.findings),
        on_arm64=architecture == Architecture.ARM64,
        on_spot=any(item.provider == SPOT for item in observation.service.strategy),
    )


def check_task_definition(inspector: ImageInspector, definition: TaskDefinition) -> CheckReport:
    """Return what stands in the way of a task definition, by itself and by the images of all its containers."""
    found = []
    images = []
    for number, container in enumerate(containers(definition.document)):
        name, image = str(container.get("name")), str(container.get("image", ""))
        try:
            reference = ImageReference.parse(image)
        except SettingsError as error:
            found.append(no_reference(name, image, number, error.why))
            continue
        images.append(_inspected(inspector, name, reference, process_overrides(container)))
    found.extend(task_definition_only(definition, tuple(images)))
    return report(Subject.TASK_DEFINITION, definition.arn, found)


def check_images(
    inspector: ImageInspector, references: Sequence[ImageReference], files: ImageContents | None = None
) -> CheckReport:
    """Return whether images can run on ARM64, and which file in them stops it.

    Of an image that has amd64 alone, ``files`` tells what in it would not simply be there for arm64.

    Raises NotFoundError or AccessError when not one of them could be read: then nothing was answered.
    """
    images: list[ContainerImage] = []
    errors: list[MigrateError] = []
    for reference in references:
        try:
            images.append(ContainerImage(str(reference), reference, inspector.inspect(reference)))
        except MigrateError as error:
            errors.append(error)
            images.append(_unread(str(reference), reference, error))
    if errors and len(errors) == len(images):
        raise errors[0]
    found = [item for image in images for item in image_only(image)]
    for image in images:
        crossing = left_behind(files, image) if files is not None else None
        found += crossing_findings(crossing, {}) if crossing is not None else ()
    name = ", ".join(str(reference) for reference in references)
    return report(Subject.IMAGES, name, found, asks_spot=False)


def check_dockerfile(builds: BuildReader, registry: ImageRegistry, path: Path) -> CheckReport:
    """Return what in a Dockerfile, its base images and what it copies would not build for arm64.

    The build context is the directory of the file. No builder is asked: `migrate plan` judges the one that would be
    used.
    """
    image = ImageSettings(NO_CONTAINER, context=str(path.parent), dockerfile=str(path))
    facts = read_files(builds, registry, image, Builder("", "", named=False))
    return report(Subject.DOCKERFILE, str(path), dockerfile_only(facts), asks_spot=False)


def _inspected(
    inspector: ImageInspector, name: str, reference: ImageReference, overrides: ProcessOverrides
) -> ContainerImage:
    """Return an image with what is behind it; one that cannot be read is an answer too, not an error."""
    try:
        return ContainerImage(name, reference, inspector.inspect(reference, overrides))
    except MigrateError as error:
        return _unread(name, reference, error)


def _unread(name: str, reference: ImageReference, error: MigrateError) -> ContainerImage:
    return ContainerImage(name, reference, None, str(error) if isinstance(error, AccessError) else error.what)
