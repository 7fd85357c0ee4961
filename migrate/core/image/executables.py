"""What the first bytes of a file say about who can run it: ELF headers and ``#!`` lines.

Sources: System V ABI, ELF header and program headers; Linux fs/binfmt_script.c (a line of at most 256 bytes, one
argument).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from migrate.core.image.elf_files import (
    AARCH64_MACHINE,
    ELF_MAGIC,
    MACHINES,
    X86_64_MACHINE,
    ElfHeader,
    Window,
    read_elf,
)

__all__ = [
    "AARCH64_MACHINE",
    "HEAD_BYTES",
    "MACHINES",
    "X86_64_MACHINE",
    "Archive",
    "ElfHeader",
    "Executable",
    "Opaque",
    "Script",
    "read_executable",
    "read_through",
    "without_text",
]

HEAD_BYTES = 4096
"""How much of a script's text is kept: enough for most of those that start a container."""

_SCRIPT_LINE = 256


@dataclass(frozen=True, slots=True)
class Script:
    """A file that begins with ``#!``: its interpreter, the one argument given to it, and the text read of it."""

    interpreter: str
    argument: str
    text: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """A file that is neither; ``kind`` names it where its first bytes do."""

    kind: str = ""


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip file (wheel, jar, egg): the ELF files in it by their names inside; ``fault`` says what was not read."""

    members: tuple[tuple[str, ElfHeader], ...]
    fault: str = ""


Executable: TypeAlias = ElfHeader | Script | Archive | Opaque

PLAIN = Opaque()
_WINDOWS = Opaque("Windows program")
_MACOS = Opaque("macOS program")
_FOREIGN = (
    (b"MZ", _WINDOWS),
    (b"\xcf\xfa\xed\xfe", _MACOS),
    (b"\xca\xfe\xba\xbe", Opaque("macOS program or Java class")),
)
TELLING = frozenset({ELF_MAGIC[:2], b"#!", *(magic[:2] for magic, _ in _FOREIGN)})
"""The first two bytes of every kind of file that is not plain."""


def read_executable(head: bytes) -> Executable:
    """Judge a file by its first bytes (HEAD_BYTES of them, or the whole file). Never raises."""
    return read_through(lambda at, size: head[at : at + size])


def read_through(window: Window) -> Executable:
    """Judge a file by what its window shows. Never raises."""
    magic = bytes(window(0, 4))
    if magic == ELF_MAGIC:
        elf = read_elf(window)
        return Opaque(elf) if isinstance(elf, str) else elf
    if magic.startswith(b"#!"):
        return _script(bytes(window(0, HEAD_BYTES)))
    for foreign, kind in _FOREIGN:
        if magic.startswith(foreign):
            return kind
    return PLAIN


def without_text(script: Script) -> Script:
    """Return a script with its first line alone: enough to know its interpreter."""
    return Script(script.interpreter, script.argument, script.text.partition("\n")[0])


def _script(head: bytes) -> Script:
    line = head[2:_SCRIPT_LINE].partition(b"\n")[0].decode("utf-8", "replace").strip(" \t")
    interpreter, _, argument = line.replace("\t", " ").partition(" ")
    return Script(interpreter, argument.strip(" "), head.decode("utf-8", "replace"))
