"""Images judged as a whole: the index, every child manifest, every config, and the content of the arm64 one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from migrate.adapters.registry.compression import UnreadableLayerError
from migrate.adapters.registry.layer_cache import LayerCache
from migrate.adapters.registry.layers import DEFAULT_LIMITS, LayerLimits, LayerReader
from migrate.adapters.shared_reads import SharedReads, once
from migrate.core.image.binaries import NO_OVERRIDES, BinaryEvidence, ProcessOverrides
from migrate.core.image.documents import Descriptor, ManifestDocument
from migrate.core.image.facts import ChildFacts, ChildKind, FetchedContent, FetchedManifest, ImageFacts
from migrate.core.image.index import children_to_fetch, classify, with_scans
from migrate.core.image.names import LINUX_ARM64, ImageReference, Platform, is_digest
from migrate.core.image.scan import ImageScan, scan_image, unscanned
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


def scan_child(
    registry: ImageRegistry,
    reference: ImageReference,
    child: ChildFacts,
    overrides: ProcessOverrides = NO_OVERRIDES,
    limits: LayerLimits = DEFAULT_LIMITS,
    cache: LayerCache | None = None,
) -> ImageScan:
    """Read a child's layers and judge everything in them, from what it starts on.

    ``overrides`` are the container definition's. Layers that cannot be unpacked end in a scan that decides nothing.
    Raises AccessError where the registry cannot be asked.
    """
    if child.config is None:
        return unscanned(child.reason or "The image has no config that can be read.")
    if not all(is_digest(layer.digest) for layer in child.layers):
        return unscanned("A layer has no digest that can be verified.")
    reader = LayerReader(registry, limits, cache)
    try:
        scan = scan_image(reader.tree(reference, child.layers), child.config, overrides)
    except (UnreadableLayerError, NotFoundError) as error:
        scan = unscanned(str(error))
    return replace(scan, sizes=_lies(child.layers, reader.sizes))


def entrypoint_binary(
    registry: ImageRegistry,
    reference: ImageReference,
    child: ChildFacts,
    overrides: ProcessOverrides = NO_OVERRIDES,
    limits: LayerLimits = DEFAULT_LIMITS,
) -> BinaryEvidence:
    """Return only what the process that a child starts is built for. Raises as scan_child."""
    return scan_child(registry, reference, child, overrides, limits).start


class RegistryInspector:
    """The port ImageInspector; the content of an immutable child is looked at once.

    ``cache`` keeps what was read of each layer from one command to the next; ``shared`` keeps whole answers for as long
    as one look at many services lasts, in which a tag is taken to stand still.
    """

    def __init__(
        self,
        registry: ImageRegistry,
        proven: tuple[Platform, ...] = (LINUX_ARM64,),
        cache: LayerCache | None = None,
        shared: SharedReads | None = None,
    ) -> None:
        self._registry = registry
        self._proven = proven
        self._shared = shared
        self._cache = cache
        self._scans: dict[tuple[str, str, ProcessOverrides], ImageScan] = {}

    def inspect(self, reference: ImageReference, overrides: ProcessOverrides = NO_OVERRIDES) -> ImageFacts:
        """Return the facts of an image, with the content of the platforms to be proven. Raises as inspect_image."""
        return once(self._shared, "image", (reference, overrides), lambda: self._inspected(reference, overrides))

    def _inspected(self, reference: ImageReference, overrides: ProcessOverrides) -> ImageFacts:
        facts = inspect_image(self._registry, reference)
        scans: dict[str, ImageScan] = {}
        for platform in self._proven:
            child = facts.child_for(platform)
            if child is not None and child.kind is ChildKind.RUNNABLE:
                scans[child.digest] = self._scan(reference, child, overrides)
        return with_scans(facts, scans)

    def _scan(self, reference: ImageReference, child: ChildFacts, overrides: ProcessOverrides) -> ImageScan:
        key = (reference.name, child.digest, overrides)
        if key not in self._scans:
            self._scans[key] = scan_child(self._registry, reference, child, overrides, cache=self._cache)
        return self._scans[key]


def _lies(layers: tuple[Descriptor, ...], sizes: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Return digest and true size of the layers that have another size than their descriptor says."""
    told = {layer.digest: layer.size for layer in layers}
    return tuple((digest, size) for digest, size in sizes.items() if told.get(digest) not in {0, size})


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
