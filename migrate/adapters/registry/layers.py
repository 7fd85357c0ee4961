"""The file tree of an image, from its layers as they stream by; nothing touches the disk."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.adapters.registry.compression import decompressed, unreadable
from migrate.adapters.registry.tar_stream import ByteStream, EntryKind, TarEntry, tar_entries
from migrate.core.image_documents import Descriptor
from migrate.core.image_executables import Opaque, read_executable
from migrate.core.image_filesystem import FileTree
from migrate.core.image_names import ImageReference
from migrate.ports import ImageRegistry

_DEVICE = Opaque("device")


@dataclass(frozen=True, slots=True)
class LayerLimits:
    """What an image may hold before it counts as hostile: entries of all layers, and unpacked bytes of all."""

    entries: int = 1_000_000
    unpacked_bytes: int = 64 << 30


DEFAULT_LIMITS = LayerLimits()


def read_tree(
    registry: ImageRegistry,
    repository: ImageReference,
    layers: tuple[Descriptor, ...],
    limits: LayerLimits = DEFAULT_LIMITS,
) -> FileTree:
    """Apply the layers, lowest first, and return the tree that a runtime would make of them.

    Every byte is fetched once and verified against its digest. Raises UnreadableLayerError for damaged and hostile
    layers, NotFoundError for missing ones, AccessError for the network and for content that is not what was asked.
    """
    tree = FileTree()
    entries_left, bytes_left = limits.entries, limits.unpacked_bytes
    for layer in layers:
        tree.begin_layer()
        with registry.open_blob(repository, layer.digest) as chunks:
            stream = ByteStream(decompressed(chunks), bytes_left)
            for entry in tar_entries(stream):
                entries_left -= 1
                if entries_left < 0:
                    raise unreadable(f"The layers hold more than {limits.entries} entries.")
                _apply(tree, entry)
            # Padding after the archive is legal; damage there is not, and the digest is known only at the very end.
            stream.drain()
            bytes_left = stream.left
            for _ in chunks:
                pass
    return tree


def _apply(tree: FileTree, entry: TarEntry) -> None:
    if entry.kind is EntryKind.DIRECTORY:
        tree.add_directory(entry.path)
    elif entry.kind is EntryKind.LINK:
        tree.add_link(entry.path, entry.target)
    elif entry.kind is EntryKind.HARD_LINK:
        tree.add_hard_link(entry.path, entry.target)
    elif entry.kind is EntryKind.DEVICE:
        tree.add_file(entry.path, _DEVICE, is_executable=False)
    else:
        tree.add_file(entry.path, read_executable(entry.head), is_executable=entry.is_executable)
