"""The file tree of an image, from its layers as they stream by; nothing of them touches the disk.

Fetching with its hash, unpacking, and walking through the archive go on side by side, each a few pieces ahead of the
next. What is read of a layer hangs on its digest alone, and is kept where there is a cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migrate.adapters.registry.byte_stream import ByteStream
from migrate.adapters.registry.compression import UnreadableLayerError, decompressed, unreadable
from migrate.adapters.registry.file_content import ContentReader, evidence_bytes
from migrate.adapters.registry.layer_cache import Inventory, LayerCache, Recorder
from migrate.adapters.registry.read_ahead import joined, read_ahead
from migrate.adapters.registry.tar_stream import NO_FACTS, EntryKind, FileFacts, TarEntry, tar_entries
from migrate.core.image.documents import Descriptor
from migrate.core.image.executables import Opaque
from migrate.core.image.filesystem import FileTree
from migrate.core.image.names import ImageReference
from migrate.core.image.package_files import MOST_KEPT
from migrate.ports import ImageRegistry

_DEVICE = Opaque("device")
_AHEAD = 4
_MOST_EVIDENCE = 96 << 20
# A size that lies is judged elsewhere; here it only has to end.
_SURPLUS = 64 << 20
_LARGEST_LAYER = 64 << 30
_MOST_TO_VERIFY = 64 << 20


@dataclass(frozen=True, slots=True)
class LayerLimits:
    """What an image may hold before it counts as hostile: entries of all layers, unpacked bytes and bytes of names."""

    entries: int = 1_000_000
    unpacked_bytes: int = 64 << 30
    name_bytes: int = 256 << 20


DEFAULT_LIMITS = LayerLimits()


def read_tree(
    registry: ImageRegistry,
    repository: ImageReference,
    layers: tuple[Descriptor, ...],
    limits: LayerLimits = DEFAULT_LIMITS,
    cache: LayerCache | None = None,
) -> FileTree:
    """Return what ``LayerReader.tree`` does, for one image."""
    return LayerReader(registry, limits, cache).tree(repository, layers)


class LayerReader:
    """Reads images layer by layer; ``sizes`` says how many bytes each layer read so far has as it is stored."""

    def __init__(
        self, registry: ImageRegistry, limits: LayerLimits = DEFAULT_LIMITS, cache: LayerCache | None = None
    ) -> None:
        self._registry = registry
        self._limits = limits
        self._cache = cache
        self.sizes: dict[str, int] = {}

    def tree(self, repository: ImageReference, layers: tuple[Descriptor, ...]) -> FileTree:
        """Apply the layers, lowest first, and return the tree that a runtime would make of them.

        Every byte is verified against the layer's digest, and fetched once; not at all where the cache knows the
        layer. Raises UnreadableLayerError for damaged and hostile layers, NotFoundError for missing ones, AccessError
        for the network and for content that is not what was asked.
        """
        image = _Image(self._limits)
        for layer in layers:
            image.tree.begin_layer()
            known = self._cache.read(layer.digest) if self._cache is not None else None
            if known is not None:
                image.unpack(known.unpacked_bytes)
                image.apply(known)
                self.sizes[layer.digest] = known.stored_bytes
            else:
                self._scan(repository, layer, image)
        return image.tree

    def _scan(self, repository: ImageReference, layer: Descriptor, image: _Image) -> None:
        """Fetch a layer and apply it; keep what was read of it once its digest has been verified."""
        recorder = Recorder() if self._cache is not None else None
        metered = _Metered(layer)
        before = image.bytes_left
        with self._registry.open_blob(repository, layer.digest) as chunks:
            counted = metered.count(chunks)
            try:
                _walk(counted, image, recorder)
            except UnreadableLayerError:
                # What was damaged on its way is another matter than what was built badly: its digest tells.
                _finish(counted)
                raise
        self.sizes[layer.digest] = metered.received
        if self._cache is not None and recorder is not None:
            inventory = recorder.inventory(metered.received, before - image.bytes_left)
            if inventory is not None:
                self._cache.write(layer.digest, inventory)


class _Image:
    """The tree as far as it has come, and what the image may still hold."""

    def __init__(self, limits: LayerLimits) -> None:
        self.tree = FileTree()
        self._limits = limits
        self._entries = 0
        self.bytes_left = limits.unpacked_bytes
        self._kept_left = 2 * MOST_KEPT
        self._names_left = limits.name_bytes
        self._evidence_left = _MOST_EVIDENCE

    def unpack(self, size: int) -> None:
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise unreadable("The layers unpack to more than an image may hold.")

    def apply(self, entries: Iterator[TarEntry] | Inventory) -> None:
        tree, count, most = self.tree, self._entries, self._limits.entries
        names_left = self._names_left
        for entry in entries:
            count += 1
            names_left -= len(entry.path) + len(entry.target)
            if count + tree.implied > most or names_left < 0:
                raise unreadable(f"The layers hold more than {most} entries, or names without end.")
            if entry.facts is not NO_FACTS:
                entry = self._kept(entry)  # noqa: PLW2901 - the same entry, with less of it
            _apply(tree, entry)
        self._entries, self._names_left = count, names_left

    def _kept(self, entry: TarEntry) -> TarEntry:
        content, kept = entry.facts
        self._evidence_left -= evidence_bytes(content)
        if self._evidence_left < 0:
            raise unreadable("The programs of all layers name more than an image may hold.")
        self._kept_left -= len(kept)
        return entry if self._kept_left >= 0 else entry._replace(facts=FileFacts(content))


def _walk(chunks: Iterator[bytes], image: _Image, recorder: Recorder | None) -> None:
    with (
        read_ahead(joined(chunks), ahead=_AHEAD) as fetched,
        read_ahead(decompressed(fetched), ahead=_AHEAD) as pieces,
    ):
        stream = ByteStream(_limited(pieces, image))
        entries = tar_entries(stream, ContentReader(image.unpack))
        image.apply(entries if recorder is None else _recorded(entries, recorder))
        # Padding after the archive is legal; damage there is not, and the digest is known only at the very end.
        stream.drain()


def _finish(chunks: Iterator[bytes]) -> None:
    left = _MOST_TO_VERIFY
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            return


class _Metered:
    """Counts what arrives of a layer, and ends what does not end."""

    def __init__(self, layer: Descriptor) -> None:
        self._most = layer.size + _SURPLUS if layer.size > 0 else _LARGEST_LAYER
        self.received = 0

    def count(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.received += len(chunk)
            if self.received > self._most:
                raise unreadable(f"It is still being sent after {self._most} bytes, more than its descriptor says.")
            yield chunk


def _limited(pieces: Iterator[bytes], image: _Image) -> Iterator[bytes]:
    for piece in pieces:
        image.unpack(len(piece))
        yield piece


def _recorded(entries: Iterator[TarEntry], recorder: Recorder) -> Iterator[TarEntry]:
    for entry in entries:
        recorder.add(entry)
        yield entry


def _apply(tree: FileTree, entry: TarEntry) -> None:
    kind = entry.kind
    if kind is EntryKind.FILE:
        content, kept = entry.facts
        tree.add_file(entry.path, content, is_executable=entry.is_executable, kept=kept)
    elif kind is EntryKind.DIRECTORY:
        tree.add_directory(entry.path.rstrip("/") or "/")
    elif kind is EntryKind.LINK:
        tree.add_link(entry.path, entry.target)
    elif kind is EntryKind.HARD_LINK:
        tree.add_hard_link(entry.path, entry.target)
    elif kind is EntryKind.DEVICE:
        tree.add_file(entry.path, _DEVICE, is_executable=False)
