"""ELF files read through a window: the machine, the loader, the libraries needed and where they are looked for.

Sources: System V ABI (ELF header, program headers, dynamic section); Linux ld.so(8) (DT_RUNPATH before DT_RPATH).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from sys import intern
from typing import TypeAlias

ELF_MAGIC = b"\x7fELF"

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

Window: TypeAlias = Callable[[int, int], "bytes | memoryview"]
"""The bytes at an offset, as many as asked for or fewer; none where they have gone by or are not to be had."""

_IDENT_BYTES = 20
_WIDE, _BIG_ENDIAN = 2, 2
_LOADED_SEGMENT, _DYNAMIC_SEGMENT, _INTERPRETER_SEGMENT = 1, 2, 3
_END, _NEEDED, _STRINGS, _RPATH, _RUNPATH = 0, 1, 5, 15, 29
_MOST_SEGMENTS = 128
_MOST_NEEDED = 512
_LONGEST_PATH = 4096
_LONGEST_NAME = 256
_LARGEST_SECTION = 1 << 16


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
class _Layout:
    """How the numbers of one class and byte order are written."""

    word: str
    header: struct.Struct
    segment: struct.Struct
    tag: struct.Struct
    is_wide: bool


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int


def _layout(order: str, *, wide: bool) -> _Layout:
    word = f"{order}{'Q' if wide else 'I'}"
    # e_phoff, then e_phentsize and e_phnum; p_type, p_offset, p_vaddr, p_filesz; d_tag, d_val.
    header = struct.Struct(f"{order}32xQ14xHH" if wide else f"{order}28xI10xHH")
    segment = struct.Struct(f"{order}I4xQQ8xQ" if wide else f"{order}III4xI")
    return _Layout(word, header, segment, struct.Struct(f"{order}{'QQ' if wide else 'II'}"), wide)


_LAYOUTS = {(size, order): _layout(order, wide=size == _WIDE) for size in (1, _WIDE) for order in "<>"}
_HEADER_BYTES = {1: 52, _WIDE: 64}


def read_elf(window: Window) -> ElfHeader | str:
    """Read an ELF file, asking for bytes in rising order of offset where it can; never raises, always ends.

    Returns what is wrong where there is no whole ELF header.
    """
    head = bytes(window(0, _HEADER_BYTES[_WIDE]))
    if len(head) < _IDENT_BYTES or head[4] not in _HEADER_BYTES:
        return "broken ELF file"
    order = ">" if head[5] == _BIG_ENDIAN else "<"
    layout = _LAYOUTS[head[4], order]
    (machine,) = struct.unpack_from(f"{order}H", head, 18)
    if len(head) < _HEADER_BYTES[head[4]]:
        return "truncated ELF file"
    segments = list(_segments(window, layout, head))
    loader = next((_text(window, item) for item in segments if item.kind == _INTERPRETER_SEGMENT), "")
    needed, library_path = _dynamic(window, layout, segments)
    return ElfHeader(machine, loader, needed, library_path)


def _segments(window: Window, layout: _Layout, head: bytes) -> Iterator[_Segment]:
    offset, size, count = layout.header.unpack_from(head)
    if size < layout.segment.size:
        return
    table = window(offset, size * min(count, _MOST_SEGMENTS))
    for start in range(0, len(table) - layout.segment.size + 1, size):
        yield _Segment(*layout.segment.unpack_from(table, start))


def _text(window: Window, segment: _Segment) -> str:
    found = bytes(window(segment.offset, min(segment.size, _LONGEST_PATH)))
    return _decoded(found.partition(b"\0")[0])


def _dynamic(window: Window, layout: _Layout, segments: list[_Segment]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    section = next((item for item in segments if item.kind == _DYNAMIC_SEGMENT), None)
    if section is None:
        return (), ()
    table = window(section.offset, min(section.size, _LARGEST_SECTION))
    needed: list[int] = []
    values: dict[int, int] = {}
    for tag, value in layout.tag.iter_unpack(table[: len(table) - len(table) % layout.tag.size]):
        if tag == _END:
            break
        if tag == _NEEDED:
            needed.append(value)
        elif tag in {_STRINGS, _RPATH, _RUNPATH}:
            values[tag] = value
    strings = _file_offset(segments, values.get(_STRINGS, 0))
    path = values.get(_RUNPATH, values.get(_RPATH))
    if strings is None or len(needed) > _MOST_NEEDED:
        return (), ()
    wanted = dict.fromkeys(needed, _LONGEST_NAME)
    if path is not None:
        wanted[path] = _LONGEST_PATH
    # In rising order: what a stream has passed by does not come back.
    found = {at: _string(window, strings + at, wanted[at]) for at in sorted(wanted)}
    if not all(found[at] for at in needed):
        return (), ()
    directories = found[path].split(":") if path is not None else []
    return tuple(found[at] for at in needed), tuple(intern(item) for item in directories if item)


def _file_offset(segments: list[_Segment], address: int) -> int | None:
    for item in segments:
        if item.kind == _LOADED_SEGMENT and item.address <= address < item.address + item.size:
            return item.offset + address - item.address
    return None


def _string(window: Window, offset: int, limit: int) -> str:
    text, end, _ = bytes(window(offset, limit)).partition(b"\0")
    return _decoded(text) if end else ""


def _decoded(text: bytes) -> str:
    # The same few names stand in thousands of files.
    return intern(text.decode("utf-8", "replace"))
