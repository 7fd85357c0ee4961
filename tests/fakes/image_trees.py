"""Hand-made file trees of arm64 images: what a scan sees, without any registry or archive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from migrate.core.image.binaries import ProcessOverrides
from migrate.core.image.documents import ImageConfig
from migrate.core.image.executables import (
    AARCH64_MACHINE,
    X86_64_MACHINE,
    Archive,
    ElfHeader,
    Executable,
    Opaque,
    Script,
)
from migrate.core.image.filesystem import FileTree
from migrate.core.image.scan import ImageScan, scan_image

GLIBC = "/lib/ld-linux-aarch64.so.1"
MUSL = "/lib/ld-musl-aarch64.so.1"
I386_MACHINE = 0x03
Content: TypeAlias = Executable | str | bytes
Files: TypeAlias = Mapping[str, Content]
"""Executables by path; a script may stand as text, and the content that is kept of a file as bytes."""

ARM64 = ElfHeader(AARCH64_MACHINE)
X86 = ElfHeader(X86_64_MACHINE)


def arm64(*needed: str, loader: str = "", library_path: tuple[str, ...] = ()) -> ElfHeader:
    return ElfHeader(AARCH64_MACHINE, loader, needed, library_path)


def script(text: str) -> Script:
    """Return a script as it would be read: its first line is the interpreter's."""
    line = text.partition("\n")[0].removeprefix("#!").strip()
    interpreter, _, argument = line.partition(" ")
    return Script(interpreter, argument.strip(), text)


def jar(*members: tuple[str, ElfHeader], fault: str = "") -> Archive:
    return Archive(members, fault)


def tree_of(files: Files, links: dict[str, str] | None = None) -> FileTree:
    """Return a tree of one layer: executables by path, scripts as text, kept content as bytes."""
    tree = FileTree()
    tree.begin_layer()
    for path, content in files.items():
        if isinstance(content, bytes):
            tree.add_file(path, Opaque(), is_executable=False, kept=content)
        else:
            tree.add_file(path, script(content) if isinstance(content, str) else content, is_executable=True)
    for path, target in (links or {}).items():
        tree.add_link(path, target)
    return tree


def scanned(
    files: Files,
    links: dict[str, str] | None = None,
    *,
    overrides: ProcessOverrides | None = None,
    **config: Any,
) -> ImageScan:
    """Scan a tree; the image starts /app unless the config says otherwise."""
    said = {"entrypoint": ("/app",)} | config
    return scan_image(tree_of(files, links), ImageConfig(**said), overrides or ProcessOverrides())
