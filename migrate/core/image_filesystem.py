"""The file tree that a runtime makes of an image's layers, holding names and kinds but no content.

Sources: OCI image specification 1.1, layer.md (whiteouts, opaque directories, hard links); containerd's archive
package (names are taken from the root, parents that are links are followed inside the root).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from migrate.core.image_executables import Executable, Opaque

WHITEOUT = ".wh."
OPAQUE_DIRECTORY = ".wh..wh..opq"
_MOST_LINKS = 40
_DEEPEST = 256


@dataclass(slots=True)
class File:
    """A regular file; several names may share one (hard links).

    ``kept`` is the content of the few files that say what is installed (package databases), empty for all others.
    """

    layer: int
    content: Executable
    is_executable: bool
    kept: bytes = b""


@dataclass(slots=True)
class Link:
    """A symbolic link."""

    layer: int
    target: str


@dataclass(slots=True)
class Directory:
    """A directory; ``layer`` is the last one that named it."""

    layer: int
    children: dict[str, Node] = field(default_factory=dict)


Node: TypeAlias = "File | Link | Directory"


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path leads: the real path, what is there (None: nothing), and the links that were followed."""

    path: str
    node: Node | None
    links: tuple[str, ...] = ()
    fault: str = ""


class FileTree:
    """Layers applied in order, lowest first; ``faults`` tells what no runtime could have unpacked."""

    def __init__(self) -> None:
        self.root = Directory(0)
        self.faults: list[str] = []
        self._layer = 0
        self._recent: tuple[str, Directory] | None = None
        self._plain = {True: File(0, Opaque(), True), False: File(0, Opaque(), False)}

    def begin_layer(self) -> None:
        """Say that the entries added from here on belong to the next layer."""
        self._layer += 1
        self._plain = {flag: File(self._layer, Opaque(), flag) for flag in (True, False)}

    def add_directory(self, path: str) -> None:
        """Add a directory, or keep the one that is there with its children."""
        self._place(path, Directory(self._layer))

    def add_link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self._place(path, Link(self._layer, target))

    def add_file(self, path: str, content: Executable, *, is_executable: bool) -> None:
        """Add a regular file, or apply it where its name is that of a whiteout."""
        # Most files of an image are plain data: one shared node keeps the tree small.
        is_plain = content == Opaque()
        self._place(
            path, self._plain[is_executable] if is_plain else File(self._layer, content, is_executable=is_executable)
        )

    def add_hard_link(self, path: str, target: str) -> None:
        """Add another name for a file that is there already."""
        found = self.find(target, follow_last=False)
        if found.node is None or isinstance(found.node, Directory):
            self._fault(f"{path} is a hard link to {target}, which is not a file of the image")
            return
        self._place(path, replace(found.node, layer=self._layer))

    def find(self, path: str, *, follow_last: bool = True) -> Found:
        """Follow a path from the root through every link, never leaving the root."""
        waiting = _parts(path)[::-1]
        trail: list[tuple[str, Directory]] = [("", self.root)]
        links: list[str] = []
        while waiting:
            name = waiting.pop()
            if name == "..":
                trail = trail[:-1] or trail
                continue
            if len(trail) > _DEEPEST:
                return Found("/", None, tuple(links), f"{path[:80]} lies deeper than {_DEEPEST} directories")
            here = _joined(trail, name)
            node = trail[-1][1].children.get(name)
            if isinstance(node, Link) and (waiting or follow_last):
                links.append(here)
                if len(links) > _MOST_LINKS:
                    return Found(here, None, tuple(links), f"{path} goes through more than {_MOST_LINKS} links")
                waiting += _parts(node.target)[::-1]
                trail = trail[:1] if node.target.startswith("/") else trail
            elif isinstance(node, Directory):
                trail.append((name, node))
            else:
                return Found(here, None if waiting else node, tuple(links))
        return Found(_joined(trail[:-1], trail[-1][0]) if len(trail) > 1 else "/", trail[-1][1], tuple(links))

    def files(self) -> Iterator[tuple[str, File]]:
        """Yield every regular file with its path, in the order of names."""
        waiting: list[tuple[str, Node]] = [("", self.root)]
        while waiting:
            path, node = waiting.pop()
            if isinstance(node, Directory):
                waiting += [(f"{path}/{name}", child) for name, child in sorted(node.children.items(), reverse=True)]
            elif isinstance(node, File):
                yield path, node

    def _place(self, path: str, node: Node) -> None:
        head, name = posixpath.split(posixpath.normpath(f"/{path}"))
        if not name:
            return
        parent = self._parent(head)
        if parent is None:
            self._fault(f"{path} lies below something that is not a directory")
        elif name == OPAQUE_DIRECTORY:
            self._remove_lower(parent)
        elif name.startswith(WHITEOUT):
            self._whiteout(parent, name.removeprefix(WHITEOUT))
        else:
            there = parent.children.get(name)
            if isinstance(there, Directory) and isinstance(node, Directory):
                there.layer = self._layer
            else:
                if there is not None or isinstance(node, Link):
                    self._recent = None
                parent.children[name] = node

    def _parent(self, path: str) -> Directory | None:
        """Return the directory at ``path``, made where it is missing, as runtimes do; None where that cannot be."""
        if self._recent is not None and self._recent[0] == path:
            return self._recent[1]
        for _ in range(_DEEPEST):
            found = self.find(path)
            if isinstance(found.node, Directory):
                self._recent = (path, found.node)
                return found.node
            above = self.find(posixpath.dirname(found.path)).node
            name = posixpath.basename(found.path)
            if found.node is not None or found.fault or not isinstance(above, Directory) or name in above.children:
                return None
            above.children[name] = Directory(self._layer)
        return None

    def _whiteout(self, parent: Directory, name: str) -> None:
        self._recent = None
        node = parent.children.get(name)
        if isinstance(node, Directory):
            self._remove_lower(node)
            if node.layer < self._layer and not node.children:
                del parent.children[name]
        elif node is not None and node.layer < self._layer:
            del parent.children[name]

    def _remove_lower(self, directory: Directory) -> None:
        for name in list(directory.children):
            self._whiteout(directory, name)

    def _fault(self, text: str) -> None:
        if len(self.faults) < _MOST_LINKS:
            self.faults.append(text)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in {"", "."}]


def _joined(trail: list[tuple[str, Directory]], name: str) -> str:
    return "/".join([*(part for part, _ in trail), name])
