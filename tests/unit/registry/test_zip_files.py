from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Callable, Iterator

import pytest

from migrate.adapters.registry.byte_stream import ByteStream
from migrate.adapters.registry.compression import UnreadableLayerError, unreadable
from migrate.adapters.registry.file_window import FileWindow
from migrate.adapters.registry.zip_stream import read_zip
from migrate.core.image.elf_files import AARCH64_MACHINE, X86_64_MACHINE, ElfHeader
from migrate.core.image.executables import Archive
from tests.fakes.elf_content import dynamic_elf
from tests.fakes.image_content import AMD64_ELF, ARM64_ELF

STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
NATIVE = dynamic_elf(("libc.so.6",))


class Unseekable(io.RawIOBase):
    """What a writer that cannot go back writes to: sizes then follow the members, as in jars."""

    def __init__(self) -> None:
        self.body = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.body += bytes(data)  # type: ignore[call-overload]
        return len(bytes(data))  # type: ignore[call-overload]


def zipped(members: dict[str, bytes], method: int = DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def as_java_writes(members: dict[str, bytes]) -> bytes:
    target = Unseekable()
    with zipfile.ZipFile(target, "w", DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, DEFLATED)
    return bytes(target.body)


def as_a_stream(body: bytes) -> bytes:
    """Return a zip file whose directory is of no use, so that it is read member by member."""
    at = body.rindex(b"PK\5\6")
    return body[: at + 8] + b"\xff" * 8 + body[at + 16 :]


def free(_: int) -> None:
    """Charge nothing."""


def read(body: bytes, piece: int = 1 << 20, charge: Callable[[int], None] = free) -> Archive:
    pieces: Iterator[bytes] = (body[at : at + piece] for at in range(0, len(body), piece))
    return read_zip(FileWindow(ByteStream(pieces), len(body)), len(body), charge)


def names(archive: Archive) -> list[str]:
    return [name for name, _ in archive.members]


MEMBERS = {"a/__init__.py": b"print()" * 50, "a/native.so": NATIVE, "empty": b"", "b/x86.so": AMD64_ELF}


@pytest.mark.parametrize("reading", [bytes, as_a_stream], ids=["directory", "stream"])
@pytest.mark.parametrize("writing", [zipped, lambda members: zipped(members, STORED), as_java_writes])
@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_programs_are_found_however_the_file_was_written(
    reading: Callable[[bytes], bytes], writing: Callable[[dict[str, bytes]], bytes], piece: int
) -> None:
    found = read(reading(writing(MEMBERS)), piece)
    assert found.fault == ""
    assert names(found) == ["a/native.so", "b/x86.so"]
    assert found.members[0][1] == ElfHeader(AARCH64_MACHINE, "", ("libc.so.6",))
    assert found.members[1][1].machine == X86_64_MACHINE


@pytest.mark.parametrize("reading", [bytes, as_a_stream], ids=["directory", "stream"])
@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_jars_in_jars_are_looked_into_two_deep(reading: Callable[[bytes], bytes], method: int) -> None:
    body = ARM64_ELF
    for depth in range(4):
        body = zipped({f"lib{depth}.so": ARM64_ELF, f"part{depth}.jar": body}, method)
    found = read(reading(body))
    outer, inner = "part3.jar!/", "part3.jar!/part2.jar!/"
    assert names(found) == ["lib3.so", f"{outer}lib2.so", f"{inner}lib1.so"]
    assert "part1.jar lies too deep" in found.fault


def test_a_start_script_before_the_members_is_passed_by() -> None:
    found = read(b"#!/bin/sh\nexec java -jar $0\n" + zipped({"lib.so": ARM64_ELF}))
    assert names(found) == ["lib.so"]


def test_what_cannot_be_read_is_said() -> None:
    good = zipped({"a.so": ARM64_ELF, "b.so": ARM64_ELF})
    encrypted = bytearray(good)
    for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        encrypted[encrypted.index(signature) + at] |= 1
    assert "a.so is encrypted" in read(bytes(encrypted)).fault
    assert names(read(bytes(encrypted))) == ["b.so"]
    assert read(as_a_stream(good)[:60]).fault
    damaged = bytearray(good)
    damaged[34] = 0xFF
    assert "a.so is damaged" in read(bytes(damaged)).fault
    assert names(read(bytes(damaged))) == ["b.so"]
    assert read(b"PK\3\4").fault == "its members do not follow one another"


def test_a_member_that_says_no_end_is_said() -> None:
    target = Unseekable()
    with zipfile.ZipFile(target, "w", STORED) as archive:
        archive.writestr(zipfile.ZipInfo("a.so"), ARM64_ELF, STORED)
    assert read(as_a_stream(bytes(target.body))).fault == "where a.so ends is not said"
    assert names(read(bytes(target.body))) == ["a.so"]


@pytest.mark.parametrize("reading", [bytes, as_a_stream], ids=["directory", "stream"])
def test_a_bomb_ends_as_a_fault_and_is_charged(reading: Callable[[bytes], bytes]) -> None:
    charged: list[int] = []
    bomb = zipped({f"{number}.so": ARM64_ELF + bytes(24 << 20) for number in range(3)})
    found = read(reading(as_java_writes({"bomb.jar": bomb, "after.so": ARM64_ELF})), charge=charged.append)
    assert sum(charged) < 200 << 20
    assert found.members


def test_the_charge_may_refuse() -> None:
    def refuse(_: int) -> None:
        raise unreadable("too much")

    with pytest.raises(UnreadableLayerError):
        read(as_java_writes({"a.so": ARM64_ELF}), charge=refuse)


def test_members_that_lie_over_one_another_are_counted_each_time() -> None:
    big = ARM64_ELF + random.Random(1).randbytes(1 << 20)  # noqa: S311 - content that does not pack
    body = zipped({"a.so": big}, STORED)
    at, end = body.index(b"PK\1\2"), body.rindex(b"PK\5\6")
    count = 3000
    listing = body[at:end] * count
    record = struct.pack("<4s4xHHIIH", b"PK\5\6", count, count, len(listing), at, 0)
    found = read(body[:at] + listing + record)
    assert "more than a zip file may" in found.fault
    assert len(found.members) < count


def test_too_many_members_are_a_fault() -> None:
    body = zipped({"a": b""})
    at, end = body.index(b"PK\1\2"), body.rindex(b"PK\5\6")
    found = read(body[:at] * 100_001 + body[at:end])
    assert found.fault == "it has more than 100000 members"
