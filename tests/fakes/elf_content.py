"""ELF files made up from their parts: both classes, both byte orders, dynamic sections wherever a linker puts them."""

from __future__ import annotations

import struct

from migrate.core.image.elf_files import AARCH64_MACHINE


def dynamic_elf(
    needed: tuple[str, ...] = (),
    *,
    machine: int = AARCH64_MACHINE,
    loader: str = "",
    runpath: str = "",
    rpath: str = "",
    wide: bool = True,
    order: str = "<",
    before_strings: int = 0,
    between: int = 0,
    strings_last: bool = False,
) -> bytes:
    """Return an ELF file; ``before_strings`` and ``between`` are bytes of other content before and between its parts.

    ``strings_last`` puts the strings behind the dynamic section, as patchelf does.
    """
    word, segment_size = ("Q", 56) if wide else ("I", 32)
    names = [*needed, *([runpath] if runpath else []), *([rpath] if rpath else [])]
    strings, offsets = b"\0", {}
    for name in names:
        offsets[name] = len(strings)
        strings += name.encode() + b"\0"
    kinds = 2 + bool(loader)
    table = 64 if wide else 52
    loader_at = table + kinds * segment_size
    loader_bytes = loader.encode() + b"\0" if loader else b""
    body_at = loader_at + len(loader_bytes)
    tags = [(1, offsets[name]) for name in needed]
    tags += [(29, offsets[runpath])] if runpath else []
    tags += [(15, offsets[rpath])] if rpath else []
    dynamic_size = (len(tags) + 2) * 2 * struct.calcsize(f"{order}{word}")
    if strings_last:
        dynamic_at = body_at + before_strings
        strings_at = dynamic_at + dynamic_size + between
    else:
        strings_at = body_at + before_strings
        dynamic_at = strings_at + len(strings) + between
    base = 0x10000
    tags = [*tags, (5, base + strings_at), (0, 0)]
    dynamic = b"".join(struct.pack(f"{order}{word}{word}", *tag) for tag in tags)
    total = max(strings_at + len(strings), dynamic_at + len(dynamic))
    segments = [(1, 0, base, total), (2, dynamic_at, base + dynamic_at, len(dynamic))]
    if loader:
        segments.append((3, loader_at, base + loader_at, len(loader_bytes)))
    ident = b"\x7fELF" + bytes([1 + wide, 2 if order == ">" else 1, 1]) + bytes(9)
    shape = f"{order}HHI{word * 3}IHHHHHH"
    header = ident + struct.pack(shape, 3, machine, 1, 0, table, 0, 0, table, segment_size, kinds, 0, 0, 0)
    content = bytearray(total)
    content[: len(header)] = header
    for number, (kind, at, address, size) in enumerate(segments):
        fields = (
            (kind, 4, at, address, address, size, size, 8) if wide else (kind, at, address, address, size, size, 4, 4)
        )
        packed = struct.pack(f"{order}IIQQQQQQ" if wide else f"{order}IIIIIIII", *fields)
        start = table + number * segment_size
        content[start : start + segment_size] = packed
    content[loader_at:body_at] = loader_bytes
    content[strings_at : strings_at + len(strings)] = strings
    content[dynamic_at : dynamic_at + len(dynamic)] = dynamic
    return bytes(content)
