"""Images judged as a whole: the index, every child manifest, every config, and the program that each starts."""

from __future__ import annotations

from migrate.adapters.registry.compression import UnreadableLayerError
from migrate.adapters.registry.layers import DEFAULT_LIMITS, LayerLimits, read_tree
from migrate.core.image_binaries import (
    NO_OVERRIDES,
    BinaryEvidence,
    ProcessOverrides,
    judge_process,
    process_of,
    undecided,
)
from migrate.core.image_documents import ManifestDocument
from migrate.core.image_facts import ChildFacts, ChildKind, FetchedContent, FetchedManifest, ImageFacts
from migrate.core.image_names import LINUX_ARM64, ImageReference, Platform, is_digest
from migrate.core.images import children_to_fetch, classify, with_binaries
from migrate.errors import NotFoundError
from migrate.ports import ImageRegistry

_MOST_CHILDREN = 256
_LARGEST_CONFIG = 4 << 20


def inspect_image(registry: ImageRegistry, reference: ImageReference) -> ImageFacts:
    """Fetch what is behind a reference with all its children and configs, and judge it.

    What is missing or illegal below the reference becomes part of the facts. Raises NotFoundError where the reference
    itself is missing, AccessError where the registry cannot be asked.
    """
    top = registry.manifest(reference)
    return classify(reference, top, _content(registry, reference, top))


def entrypoint_binary(
    registry: ImageRegistry,
    reference: ImageReference,
    child: ChildFacts,
    overrides: ProcessOverrides = NO_OVERRIDES,
    limits: LayerLimits = DEFAULT_LIMITS,
) -> BinaryEvidence:
    """Read a child's layers and say what the process that it starts is built for.

    ``overrides`` are the container definition's. Layers that cannot be unpacked end in evidence that decides nothing.
    Raises AccessError where the registry cannot be asked.
    """
    if child.config is None:
        return undecided(child.reason or "The image has no config that can be read.")
    if not all(is_digest(layer.digest) for layer in child.layers):
        return undecided("A layer has no digest that can be verified.")
    try:
        tree = read_tree(registry, reference, child.layers, limits)
    except (UnreadableLayerError, NotFoundError) as error:
        return undecided(str(error))
    return judge_process(tree, process_of(child.config, overrides))


class RegistryInspector:
    """The port ImageInspector; the program of an immutable child is looked at once."""

    def __init__(self, registry: ImageRegistry, proven: tuple[Platform, ...] = (LINUX_ARM64,)) -> None:
        self._registry = registry
        self._proven = proven
        self._binaries: dict[tuple[str, str, ProcessOverrides], BinaryEvidence] = {}

    def inspect(self, reference: ImageReference, overrides: ProcessOverrides = NO_OVERRIDES) -> ImageFacts:
        """Return the facts of an image, with the programs of the platforms to be proven. Raises as inspect_image."""
        facts = inspect_image(self._registry, reference)
        binaries: dict[str, BinaryEvidence] = {}
        for platform in self._proven:
            child = facts.child_for(platform)
            if child is not None and child.kind is ChildKind.RUNNABLE:
                binaries[child.digest] = self._binary(reference, child, overrides)
        return with_binaries(facts, binaries)

    def _binary(self, reference: ImageReference, child: ChildFacts, overrides: ProcessOverrides) -> BinaryEvidence:
        key = (reference.name, child.digest, overrides)
        if key not in self._binaries:
            self._binaries[key] = entrypoint_binary(self._registry, reference, child, overrides)
        return self._binaries[key]


def _content(registry: ImageRegistry, reference: ImageReference, top: FetchedManifest) -> FetchedContent:
    manifests: dict[str, FetchedManifest] = {}
    configs: dict[str, bytes] = {}
    faults: dict[str, str] = {}
    waiting = [top]
    while waiting:
        document = waiting.pop().document
        if isinstance(document, ManifestDocument) and document.config is not None and not document.is_artifact:
            _fetch_config(registry, reference, document.config.digest, configs, faults)
        for entry in children_to_fetch(document):
            if entry.digest in manifests or entry.digest in faults:
                continue
            if not is_digest(entry.digest):
                faults[entry.digest] = "The entry has no digest that can be verified."
            elif len(manifests) >= _MOST_CHILDREN:
                faults[entry.digest] = f"The index has more than {_MOST_CHILDREN} images."
            else:
                try:
                    manifests[entry.digest] = registry.manifest(reference.at(entry.digest))
                    waiting.append(manifests[entry.digest])
                except NotFoundError as error:
                    faults[entry.digest] = str(error)
    return FetchedContent(manifests, configs, faults)


def _fetch_config(
    registry: ImageRegistry,
    reference: ImageReference,
    digest: str,
    configs: dict[str, bytes],
    faults: dict[str, str],
) -> None:
    if digest in configs or digest in faults:
        return
    if not is_digest(digest):
        faults[digest] = "The config has no digest that can be verified."
        return
    try:
        configs[digest] = registry.blob(reference, digest, limit=_LARGEST_CONFIG)
    except NotFoundError as error:
        faults[digest] = str(error)
