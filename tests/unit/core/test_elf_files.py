from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.image.elf_files import AARCH64_MACHINE, ElfHeader, read_elf
from migrate.core.image.executables import Opaque, Script, read_executable
from tests.fakes.elf_content import dynamic_elf

NEEDED = ("libssl.so.3", "libc.so.6")


def read(body: bytes) -> ElfHeader:
    found = read_elf(lambda at, size: body[at : at + size])
    assert isinstance(found, ElfHeader)
    return found


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_needs_and_path_are_read_in_every_class_and_byte_order(order: str, *, wide: bool) -> None:
    body = dynamic_elf(NEEDED, loader="/lib/ld.so", runpath="$ORIGIN/../lib:/opt/lib", wide=wide, order=order)
    assert read(body) == ElfHeader(AARCH64_MACHINE, "/lib/ld.so", NEEDED, ("$ORIGIN/../lib", "/opt/lib"))


def test_the_runpath_stands_in_for_the_older_rpath() -> None:
    assert read(dynamic_elf(rpath="/old")).library_path == ("/old",)
    assert read(dynamic_elf(rpath="/old", runpath="/new")).library_path == ("/new",)


def test_a_patched_file_has_its_strings_at_the_end() -> None:
    assert read(dynamic_elf(NEEDED, strings_last=True, between=100)).needed == NEEDED


def test_strings_that_have_gone_by_leave_nothing_rather_than_half() -> None:
    body = dynamic_elf(NEEDED, runpath="/opt", before_strings=5000)
    found = read_elf(lambda at, size: body[at : at + size] if at < 4000 or body[at] not in b"lo/" else b"")
    assert found == ElfHeader(AARCH64_MACHINE)


def test_a_static_file_needs_nothing() -> None:
    assert read(dynamic_elf()).needed == ()


def test_a_real_library_is_read_as_the_linker_made_it() -> None:
    found = read_executable(Path(sys.executable).resolve().read_bytes())
    assert isinstance(found, ElfHeader)
    assert any(name.startswith("libc.") for name in found.needed)


@given(at=st.integers(0, 600), change=st.binary(min_size=1, max_size=8), cut=st.integers(0, 700))
def test_a_changed_or_cut_file_never_crashes(at: int, change: bytes, cut: int) -> None:
    body = dynamic_elf(NEEDED, loader="/lib/ld.so", runpath="/opt")
    changed = (body[:at] + change + body[at + len(change) :])[: len(body) - cut]
    assert isinstance(read_executable(changed), ElfHeader | Opaque | Script)


def test_a_header_of_the_largest_numbers_is_read_in_few_steps() -> None:
    asked = []

    def window(at: int, size: int) -> bytes:
        asked.append((at, size))
        return body[at : at + size]

    body = dynamic_elf(NEEDED)[:64].replace(b"\x40\0\0\0\0\0\0\0", b"\xff" * 8)[:54] + b"\xff" * 10
    assert isinstance(read_elf(window), ElfHeader)
    assert len(asked) < 10
