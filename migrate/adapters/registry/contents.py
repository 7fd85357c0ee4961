"""The port ImageContents: the files of one image, read from its layers as they stream by."""

from __future__ import annotations

from migrate.adapters.registry.compression import UnreadableLayerError
from migrate.adapters.registry.layer_cache import LayerCache
from migrate.adapters.registry.layers import read_tree
from migrate.core.image.crossing import Crossing, crossing
from migrate.core.image.facts import ChildFacts
from migrate.core.image.names import ImageReference, is_digest
from migrate.errors import MigrateError
from migrate.ports import ImageRegistry


class RegistryContents:
    """Reads the layers of a child once; what it holds never changes under its digest."""

    def __init__(self, registry: ImageRegistry, cache: LayerCache | None = None) -> None:
        self._registry = registry
        self._cache = cache
        self._read: dict[str, Crossing] = {}

    def crossing(self, reference: ImageReference, child: ChildFacts) -> Crossing:
        """Return what of an amd64 image will not cross over; a problem where its layers cannot be read."""
        if child.digest not in self._read:
            self._read[child.digest] = self._judged(reference, child)
        return self._read[child.digest]

    def _judged(self, reference: ImageReference, child: ChildFacts) -> Crossing:
        if not all(is_digest(layer.digest) for layer in child.layers):
            return Crossing(child.digest, problem="a layer has no digest that can be verified.")
        try:
            return crossing(child.digest, read_tree(self._registry, reference, child.layers, cache=self._cache))
        except (UnreadableLayerError, MigrateError) as error:
            return Crossing(child.digest, problem=str(error))
