"""What the first bytes of a file say about who can run it: ELF headers and ``#!`` lines.

Sources: System V ABI, ELF header and program headers; Linux fs/binfmt_script.c (a line of at most 256 bytes, one
argument).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeAlias

HEAD_BYTES = 4096
"""How much of a file is looked at: enough for the headers of every linker in use, and for most scripts."""

X86_64_MACHINE = 0x3E
AARCH64_MACHINE = 0xB7
MACHINES = {
    0x03: "i386",
    0x14: "powerpc",
    0x15: "powerpc64",
    0x16: "s390x",
    0x28: "arm",
    X86_64_MACHINE: "x86_64",
    AARCH64_MACHINE: "aarch64",
    0xF3: "riscv",
    0x102: "loongarch",
}

_ELF = b"\x7fELF"
_IDENT_BYTES = 20
_WIDE, _BIG_ENDIAN, _INTERPRETER_SEGMENT = 2, 2, 3
_HEADER_BYTES = {1: 52, 2: 64}
_MOST_SEGMENTS = 128
_SCRIPT_LINE = 256


@dataclass(frozen=True, slots=True)
class ElfHeader:
    """An ELF file: e_machine, and the loader it asks for (empty: static, or none within the bytes looked at).

    ``needed`` are the libraries that its dynamic section asks for (DT_NEEDED), ``library_path`` the directories where
    it looks for them first (DT_RUNPATH or DT_RPATH, ``$ORIGIN`` as written); both empty where they were not read.
    """

    machine: int
    loader: str = ""
    needed: tuple[str, ...] = ()
    library_path: tuple[str, ...] = ()

    @property
    def machine_name(self) -> str:
        """The machine in the words of ``uname -m``, or its number."""
        return MACHINES.get(self.machine, f"machine {self.machine:#x}")


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

_PLAIN = Opaque()
_FOREIGN = (
    (b"MZ", "Windows program"),
    (b"\xcf\xfa\xed\xfe", "macOS program"),
    (b"\xca\xfe\xba\xbe", "macOS program or Java class"),
)


def read_executable(head: bytes) -> Executable:
    """Judge a file by its first bytes (HEAD_BYTES of them, or the whole file). Never raises."""
    if head.startswith(_ELF):
        return _elf(head)
    if head.startswith(b"#!"):
        return _script(head)
    for magic, kind in _FOREIGN:
        if head.startswith(magic):
            return Opaque(kind)
    return _PLAIN


def _elf(head: bytes) -> Executable:
    if len(head) < _IDENT_BYTES or head[4] not in _HEADER_BYTES:
        return Opaque("broken ELF file")
    order = ">" if head[5] == _BIG_ENDIAN else "<"
    (machine,) = struct.unpack_from(f"{order}H", head, 18)
    if len(head) < _HEADER_BYTES[head[4]]:
        return Opaque("truncated ELF file")
    return ElfHeader(machine, _loader(head, order, wide=head[4] == _WIDE))


def _loader(head: bytes, order: str, *, wide: bool) -> str:
    (table,) = struct.unpack_from(f"{order}Q" if wide else f"{order}I", head, 32 if wide else 28)
    size, count = struct.unpack_from(f"{order}HH", head, 54 if wide else 42)
    for number in range(min(count, _MOST_SEGMENTS)):
        start = table + number * size
        if start + (56 if wide else 32) > len(head):
            return ""
        (kind,) = struct.unpack_from(f"{order}I", head, start)
        if kind == _INTERPRETER_SEGMENT:
            shape, offset_at, length_at = (f"{order}Q", 8, 32) if wide else (f"{order}I", 4, 16)
            (offset,) = struct.unpack_from(shape, head, start + offset_at)
            (length,) = struct.unpack_from(shape, head, start + length_at)
            return head[offset : offset + length].partition(b"\0")[0].decode("utf-8", "replace")
    return ""


def _script(head: bytes) -> Script:
    line = head[2:_SCRIPT_LINE].partition(b"\n")[0].decode("utf-8", "replace").strip(" \t")
    interpreter, _, argument = line.replace("\t", " ").partition(" ")
    return Script(interpreter, argument.strip(" "), head.decode("utf-8", "replace"))
