from __future__ import annotations

import pytest

from migrate.core.image.binaries import BinaryVerdict, ProcessOverrides
from migrate.core.image.scan import ImageScan
from tests.fakes.image_trees import ARM64, GLIBC, MUSL, X86, Content, arm64, scanned

LIBC = "/lib/aarch64-linux-gnu/libc.so.6"
NEEDS = arm64("libpq.so.5", "libc.so.6", loader=GLIBC)
BASE: dict[str, Content] = {"/app": NEEDS, GLIBC: ARM64, LIBC: ARM64}


def faults(scan: ImageScan) -> list[tuple[BinaryVerdict, str]]:
    return [(item.verdict, item.path) for item in scan.libraries]


@pytest.mark.parametrize(
    "directory",
    ["/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/usr/lib", "/usr/local/lib"],
)
def test_c06_a_library_is_found_where_the_loader_looks(directory: str) -> None:
    assert faults(scanned({**BASE, f"{directory}/libpq.so.5": ARM64})) == []
    wrong = scanned({**BASE, f"{directory}/libpq.so.5": X86})
    assert faults(wrong) == [(BinaryVerdict.X86_64, f"{directory}/libpq.so.5")]
    assert wrong.libraries[0].chain == ("/app", "libpq.so.5")
    assert wrong.start.verdict is BinaryVerdict.ARM64


def test_c06_links_to_a_library_are_followed() -> None:
    found = scanned(
        {**BASE, "/usr/lib/libpq.so.5.16": X86}, {"/usr/lib/aarch64-linux-gnu/libpq.so.5": "/usr/lib/libpq.so.5.16"}
    )
    assert faults(found) == [(BinaryVerdict.X86_64, "/usr/lib/libpq.so.5.16")]


def test_the_loader_passes_by_a_library_for_another_machine() -> None:
    both = {**BASE, "/lib/aarch64-linux-gnu/libpq.so.5": X86, "/usr/lib/libpq.so.5": ARM64}
    assert faults(scanned(both)) == []


@pytest.mark.parametrize("entry", ["$ORIGIN/../lib", "${ORIGIN}/../lib", "/opt/lib", "/opt/$LIB/.."])
def test_c06_runpath_comes_first_and_knows_where_the_program_lies(entry: str) -> None:
    program = arm64("libpq.so.5", loader=GLIBC, library_path=(entry,))
    files = {GLIBC: ARM64, "/opt/bin/app": program, "/opt/lib/aarch64-linux-gnu/other": ARM64}
    found = scanned({**files, "/opt/lib/libpq.so.5": X86}, entrypoint=("/opt/bin/app",))
    assert faults(found) == [(BinaryVerdict.X86_64, "/opt/lib/libpq.so.5")]
    good = scanned({**files, "/opt/lib/libpq.so.5": ARM64, "/usr/lib/libpq.so.5": X86}, entrypoint=("/opt/bin/app",))
    assert faults(good) == []


def test_the_directories_of_the_program_serve_its_libraries_too() -> None:
    files: dict[str, Content] = {
        "/app": arm64("liba.so", loader=GLIBC, library_path=("/opt/x",)),
        GLIBC: ARM64,
        "/opt/x/liba.so": arm64("libb.so"),
        "/opt/x/libb.so": X86,
    }
    assert faults(scanned(files)) == [(BinaryVerdict.X86_64, "/opt/x/libb.so")]
    assert scanned(files).libraries[0].chain == ("/app", "liba.so", "libb.so")
    assert faults(scanned({**files, "/opt/x/libb.so": ARM64, "/usr/lib/libb.so": X86})) == []


def test_the_library_path_of_image_or_definition_is_heeded() -> None:
    files = {**BASE, "/srv/lib/libpq.so.5": ARM64, "/usr/lib/libpq.so.5": X86}
    # Found there, and undecided without it: the loader may know the directory from a file that is not read.
    assert faults(scanned(files, environment=(("LD_LIBRARY_PATH", "/srv/lib:"),))) == []
    assert faults(scanned(files, overrides=ProcessOverrides(library_path="/srv/lib"))) == []
    assert faults(scanned(files)) == [(BinaryVerdict.UNDECIDED, "/usr/lib/libpq.so.5")]


def test_a_library_that_lies_elsewhere_for_arm64_counts_as_found() -> None:
    assert faults(scanned({**BASE, "/opt/postgres/lib/libpq.so.5": ARM64})) == []


@pytest.mark.parametrize("name", ["libpq.so.5", "libpq.so.5.15"])
def test_c06_the_only_copy_of_a_library_decides_wherever_it_lies(name: str) -> None:
    path = f"/usr/lib/x86_64-linux-gnu/{name}"
    found = scanned({**BASE, path: X86})
    assert faults(found) == [(BinaryVerdict.X86_64, path)]
    assert faults(scanned({**BASE, path: X86, f"/opt/lib/{name}": ARM64})) == []
    assert faults(scanned({**BASE, "/opt/lib/libpq.so.55": ARM64}))[0][0] is BinaryVerdict.UNDECIDED


def test_a_library_that_lies_nowhere_is_unknown_and_told_once() -> None:
    found = scanned({**BASE, "/usr/bin/tini": NEEDS}, entrypoint=("tini", "--", "/app"))
    assert [item.verdict for item in found.libraries] == [BinaryVerdict.UNDECIDED] * 2
    assert "/app needs libpq.so.5" in " ".join(item.reason for item in found.libraries)


def test_c06_a_loader_for_another_machine_fails_the_program() -> None:
    found = scanned({"/app": arm64(loader=GLIBC), GLIBC: X86})
    assert faults(found) == [(BinaryVerdict.X86_64, GLIBC)]


def test_musl_answers_to_its_own_names_and_has_its_own_directories() -> None:
    program = arm64("libc.musl-aarch64.so.1", "libpthread.so.0", "libz.so.1", loader=MUSL)
    assert faults(scanned({"/app": program, MUSL: ARM64, "/usr/lib/libz.so.1": ARM64})) == []
    assert faults(scanned({"/app": program, MUSL: ARM64, "/lib/libz.so.1": X86})) == [
        (BinaryVerdict.X86_64, "/lib/libz.so.1")
    ]
    by_gcompat = arm64("libc.so.6", "libm.so.6", loader=GLIBC)
    assert faults(scanned({"/app": by_gcompat, "/lib/libgcompat.so.0": ARM64}, {GLIBC: "libgcompat.so.0"})) == []


def test_what_the_host_brings_is_not_missed() -> None:
    program = arm64("libcuda.so.1", "libnvidia-ml.so.1", "linux-vdso.so.1", "ld-linux-aarch64.so.1", loader=GLIBC)
    assert faults(scanned({"/app": program, GLIBC: ARM64})) == []


def test_libraries_that_need_each_other_end() -> None:
    ring: dict[str, Content] = {f"/usr/lib/lib{number}.so": arm64(f"lib{(number + 1) % 50}.so") for number in range(50)}
    assert faults(scanned({"/app": arm64("lib0.so", loader=GLIBC), GLIBC: ARM64, **ring})) == []


@pytest.mark.timeout(120)
def test_needs_without_end_are_given_up_as_unknown() -> None:
    names = tuple(f"lib{number}.so" for number in range(4000))
    paths = tuple(f"/opt/{number}" for number in range(100))
    files = {f"/usr/lib/{name}": ARM64 for name in names}
    found = scanned({"/app": arm64(*names, loader=GLIBC, library_path=paths), GLIBC: ARM64, **files})
    assert [item.verdict for item in found.libraries] == [BinaryVerdict.UNDECIDED]


def test_the_libraries_of_the_health_check_are_told_apart() -> None:
    check = ProcessOverrides(health_check=("CMD", "/check"))
    files = {"/app": ARM64, "/check": arm64("libcurl.so.4", loader=GLIBC), GLIBC: ARM64, "/lib/libcurl.so.4": X86}
    found = scanned(files, overrides=check)
    assert found.libraries == ()
    assert [(item.verdict, item.path) for item in found.health_libraries] == [
        (BinaryVerdict.X86_64, "/lib/libcurl.so.4")
    ]
