"""The file tree that a runtime makes of an image's layers, holding names and kinds but no content.

Sources: OCI image specification 1.1, layer.md (whiteouts, opaque directories, hard links); containerd's archive
package (names are taken from the root, parents that are links are followed inside the root).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from migrate.core.image.executables import PLAIN, Executable

WHITEOUT = ".wh."
OPAQUE_DIRECTORY = ".wh..wh..opq"
_MOST_LINKS = 40
_DEEPEST = 256
# Links may send a path up and down again; what takes more steps than this is made to waste them.
_MOST_STEPS = 1024
_MOST_KNOWN = 4096
# A name that ends so does not end in the name of what it stands for.
_NO_NAMES = frozenset({"", ".", ".."})
_ODD_BEGINNINGS = frozenset({"", "."})


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
    """Layers applied in order, lowest first; ``faults`` tells what no runtime could have unpacked.

    ``implied`` counts the directories that no entry named but that lie on the way to one.
    """

    def __init__(self) -> None:
        self.root = Directory(0)
        self.faults: list[str] = []
        self.implied = 0
        self._layer = 0
        # Where names as written lead; true as long as no directory and no link on the way is taken away.
        self._known: dict[str, Directory] = {}
        self._plain = _plain_files(0)

    def begin_layer(self) -> None:
        """Say that the entries added from here on belong to the next layer."""
        self._layer += 1
        self._plain = _plain_files(self._layer)

    def add_directory(self, path: str) -> None:
        """Add a directory, or keep the one that is there with its children."""
        self._place(path, Directory(self._layer))

    def add_link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self._place(path, Link(self._layer, target))

    def add_file(self, path: str, content: Executable, *, is_executable: bool, kept: bytes = b"") -> None:
        """Add a regular file, or apply it where its name is that of a whiteout."""
        # Most files of an image are plain data: one shared node keeps the tree small.
        if content is PLAIN and not kept:
            node = self._plain[is_executable]
        else:
            node = File(self._layer, content, is_executable, kept)
        head, _, name = path.rpartition("/")
        parent = self._known.get(head)
        if parent is not None and name[:1] not in _ODD_BEGINNINGS:
            there = parent.children.get(name)
            if there is None or type(there) is File:
                parent.children[name] = node
                return
        self._place(path, node)

    def add_hard_link(self, path: str, target: str) -> None:
        """Add another name for a file that is there already."""
        found = self.find(target, follow_last=False)
        if found.node is None or isinstance(found.node, Directory):
            self._fault(f"{path} is a hard link to {target}, which is not a file of the image")
            return
        self._place(path, replace(found.node, layer=self._layer))

    def find(self, path: str, *, follow_last: bool = True) -> Found:
        """Follow a path from the root through every link, never leaving the root."""
        return self._walk(path, follow_last=follow_last, make=False)

    def _walk(self, path: str, *, follow_last: bool, make: bool) -> Found:
        """Follow a path; ``make`` adds the directories that are missing on it, as runtimes do for parents."""
        waiting = _parts(path)[::-1]
        trail: list[tuple[str, Directory]] = [("", self.root)]
        links: list[str] = []
        steps = 0
        while waiting:
            name = waiting.pop()
            steps += 1
            if len(trail) > _DEEPEST or steps > _MOST_STEPS:
                return Found("/", None, tuple(links), f"{path[:80]} lies deeper than {_DEEPEST} directories")
            if name == "..":
                trail = trail[:-1] or trail
                continue
            node = trail[-1][1].children.get(name)
            if node is None and make:
                node = self._made(trail[-1][1], name)
            if isinstance(node, Directory):
                trail.append((name, node))
            elif isinstance(node, Link) and (waiting or follow_last):
                links.append(_joined(trail, name))
                if len(links) > _MOST_LINKS:
                    fault = f"{path[:80]} goes through more than {_MOST_LINKS} links"
                    return Found(links[-1], None, tuple(links), fault)
                waiting += _parts(node.target)[::-1]
                trail = trail[:1] if node.target.startswith("/") else trail
            else:
                return Found(_joined(trail, name), None if waiting else node, tuple(links))
        return Found(_joined(trail[:-1], trail[-1][0]) if len(trail) > 1 else "/", trail[-1][1], tuple(links))

    def _made(self, parent: Directory, name: str) -> Directory:
        self.implied += 1
        made = parent.children[name] = Directory(self._layer)
        return made

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
        head, _, name = path.rpartition("/")
        if name in _NO_NAMES:
            head, name = posixpath.split(posixpath.normpath(f"/{path}"))
            if not name:
                return
        parent = self._known.get(head) or self._parent(head)
        if parent is None:
            self._fault(f"{path} lies below something that is not a directory")
        elif name.startswith(WHITEOUT):
            if name == OPAQUE_DIRECTORY:
                self._remove_lower(parent)
            else:
                self._whiteout(parent, name.removeprefix(WHITEOUT))
        else:
            self._set(parent, name, node, path)

    def _set(self, parent: Directory, name: str, node: Node, path: str) -> None:
        there = parent.children.get(name)
        if isinstance(there, Directory) and isinstance(node, Directory):
            there.layer = self._layer
            self._know(path, there)
            return
        if there is not None and not isinstance(there, File):
            self._known.clear()
        parent.children[name] = node
        if isinstance(node, Directory):
            self._know(path, node)

    def _parent(self, path: str) -> Directory | None:
        """Return the directory at ``path``, made where it is missing, as runtimes do; None where that cannot be."""
        node = self._walk(posixpath.normpath(f"/{path}"), follow_last=True, make=True).node
        if not isinstance(node, Directory):
            return None
        self._know(path, node)
        return node

    def _know(self, path: str, directory: Directory) -> None:
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[path] = directory

    def _whiteout(self, parent: Directory, name: str) -> None:
        self._known.clear()
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


def _plain_files(layer: int) -> dict[bool, File]:
    return {flag: File(layer, PLAIN, flag) for flag in (True, False)}


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in {"", "."}]


def _joined(trail: list[tuple[str, Directory]], name: str) -> str:
    return "/".join([*(part for part, _ in trail), name])
