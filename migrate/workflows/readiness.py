"""What stage 1 would build from and with, read once for a plan, and what its image would leave behind on amd64."""

from __future__ import annotations

from migrate.core.build.dockerfile import parse_dockerfile
from migrate.core.build.dockerfile_stages import build_graph
from migrate.core.build.facts import BaseImage, Builder, BuildFacts
from migrate.core.build.readiness import build_targets, reads_as_docker
from migrate.core.image.crossing import Crossing
from migrate.core.image.documents import IndexDocument, ManifestDocument, parse_config
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64, ImageReference, Platform
from migrate.core.observation import ContainerImage
from migrate.core.record import still_open
from migrate.core.settings import ImageMode, ImageSettings
from migrate.core.stages import Stage
from migrate.errors import AccessError, MigrateError
from migrate.ports import BuildReader, ImageContents, ImageRegistry
from migrate.workflows.runtime import Readers

_LARGEST_CONFIG = 4 << 20
_MOST_FAILURES = 2


def has_stage_one_ahead(runtime: Readers, service_arn: str) -> bool:
    """Tell whether the image is still to be built, so that a builder matters."""
    record = still_open(runtime.store.record(service_arn))
    return record is None or record.position.proven < Stage.IMAGE


def read_build(runtime: Readers) -> BuildFacts | None:
    """Return builder, Dockerfile and base images; None in mode external, where nothing is built."""
    image = runtime.settings.image
    if image.mode is ImageMode.EXTERNAL:
        return None
    return read_files(runtime.builds, runtime.registry, image, runtime.builds.builder(image.builder))


def read_files(builds: BuildReader, registry: ImageRegistry, image: ImageSettings, builder: Builder) -> BuildFacts:
    """Return what a build of the settings by this builder would be made from."""
    targets = build_targets(image, builder)
    source = builds.source(image, targets)
    dockerfile = parse_dockerfile(source.dockerfile or "")
    if not reads_as_docker(dockerfile):
        return BuildFacts(builder, source)
    uses = [use for target in targets for use in build_graph(dockerfile, target).bases() if not use.undecided]
    reading = _BaseImages(registry)
    return BuildFacts(builder, source, tuple(reading.read(name) for name in dict.fromkeys(use.image for use in uses)))


def read_crossing(runtime: Readers, main: ContainerImage | None) -> Crossing | None:
    """Return what of the amd64 image will not cross over; None where arm64 is there already."""
    return left_behind(runtime.files, main) if main else None


def left_behind(files: ImageContents, image: ContainerImage) -> Crossing | None:
    """Return what of an image will not cross over; None where it has arm64, or no amd64 to read."""
    child = image.facts.child_for(LINUX_AMD64) if image.facts else None
    if image.facts is None or child is None or image.facts.has(LINUX_ARM64):
        return None
    return files.crossing(image.reference, child)


class _BaseImages:
    """Asks registries what platforms images have; one that failed for two images is not asked a third time."""

    def __init__(self, registry: ImageRegistry) -> None:
        self._registry = registry
        self._failures: dict[str, list[str]] = {}

    def read(self, name: str) -> BaseImage:
        try:
            reference = ImageReference.parse(name)
        except MigrateError as error:
            return BaseImage(name, problem=error.what)
        pinned, host = reference.is_pinned, reference.registry
        failures = self._failures.setdefault(host, [])
        if len(failures) >= _MOST_FAILURES:
            return BaseImage(name, pinned=pinned, problem=failures[-1])
        try:
            platforms, is_index = self._platforms(reference)
        except AccessError as error:
            failures.append(str(error))
            return BaseImage(name, pinned=pinned, problem=str(error))
        except MigrateError as error:
            return BaseImage(name, pinned=pinned, problem=str(error))
        return BaseImage(name, platforms, is_index, pinned)

    def _platforms(self, reference: ImageReference) -> tuple[tuple[Platform, ...], bool]:
        """Return the platforms that index or config declare, and whether it is an index."""
        document = self._registry.manifest(reference).document
        if isinstance(document, IndexDocument):
            declared = [entry.platform for entry in document.entries if not entry.is_attestation and entry.platform]
            return tuple(platform.canonical for platform in declared if platform.is_declared), True
        if isinstance(document, ManifestDocument) and document.config is not None:
            config = parse_config(self._registry.blob(reference, document.config.digest, limit=_LARGEST_CONFIG))
            return (config.platform.canonical,) if config.platform else (), False
        return (), False
