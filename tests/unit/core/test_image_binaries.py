from __future__ import annotations

import pytest

from migrate.adapters.registry.inspect import entrypoint_binary, inspect_image
from migrate.core.image.binaries import BinaryEvidence, BinaryVerdict, ProcessOverrides
from migrate.core.image.executables import AARCH64_MACHINE, X86_64_MACHINE
from migrate.core.image.index import ImageReference
from tests.fakes.image_content import (
    AMD64_ELF,
    ARM64_ELF,
    REPOSITORY,
    Entry,
    Shelf,
    directory,
    elf,
    hard_link,
    link,
    tar,
)
from tests.fakes.image_registry import FakeImageRegistry

REFERENCE = ImageReference("registry.example", REPOSITORY, "tag1")
SHELL = Entry("bin/busybox", ARM64_ELF), link("bin/sh", "busybox")


def looked_at(
    *entries: Entry,
    entrypoint: tuple[str, ...] = ("/app",),
    command: tuple[str, ...] = (),
    overrides: ProcessOverrides | None = None,
    working_directory: str = "",
    environment: tuple[str, ...] = (),
    lower: tuple[bytes, ...] = (),
) -> BinaryEvidence:
    shelf = Shelf()
    process = {
        "Entrypoint": list(entrypoint),
        "Cmd": list(command),
        "WorkingDir": working_directory,
        "Env": list(environment),
    }
    config = {"os": "linux", "architecture": "arm64", "config": process}
    shelf.image("linux/arm64", *entries, config=config, layers=lower, tag="tag1")
    registry = FakeImageRegistry(shelf)
    child = inspect_image(registry, REFERENCE).children[0]
    return entrypoint_binary(registry, REFERENCE, child, overrides or ProcessOverrides())


@pytest.mark.parametrize(
    ("content", "machine", "verdict"),
    [(ARM64_ELF, AARCH64_MACHINE, BinaryVerdict.ARM64), (AMD64_ELF, X86_64_MACHINE, BinaryVerdict.X86_64)],
)
def test_c06_a_static_binary_on_scratch(content: bytes, machine: int, verdict: BinaryVerdict) -> None:
    found = looked_at(Entry("app", content))
    assert (found.path, found.machine, found.verdict) == ("/app", machine, verdict)
    assert found.chain == ("/app",)


def test_c06_a_script_is_followed_to_its_interpreter() -> None:
    good = looked_at(Entry("app", b"#!/bin/sh -e\necho hello\n"), *SHELL)
    assert (good.verdict, good.path) == (BinaryVerdict.ARM64, "/bin/busybox")
    assert good.chain == ("/app", "/bin/sh -> /bin/busybox")
    bad = looked_at(Entry("app", b"#!/bin/sh\n"), Entry("bin/sh", AMD64_ELF))
    assert (bad.verdict, bad.path) == (BinaryVerdict.X86_64, "/bin/sh")


@pytest.mark.parametrize(
    "text",
    [
        'exec /opt/server "$@"',
        "set -e\nPORT=80 exec server --port 80",
        "cd /opt && ./../opt/server",
        "if [ -f x ]; then /opt/server; fi",
    ],
)
def test_c06_an_x86_64_binary_that_a_script_plainly_starts_is_found(text: str) -> None:
    found = looked_at(
        Entry("app", f"#!/bin/sh\n# starts it\n{text}\n".encode()),
        *SHELL,
        Entry("opt/server", AMD64_ELF),
        environment=("PATH=/bin:/opt",),
    )
    assert (found.verdict, found.path) == (BinaryVerdict.X86_64, "/opt/server")


def test_c06_the_command_that_an_entry_script_hands_on_to_is_looked_at() -> None:
    script = Entry("entry.sh", b'#!/bin/sh\nexec "$@"\n')
    found = looked_at(
        script, *SHELL, Entry("usr/bin/app", AMD64_ELF), entrypoint=("/entry.sh",), command=("app", "--serve")
    )
    assert (found.verdict, found.path) == (BinaryVerdict.X86_64, "/usr/bin/app")


def test_c06_a_name_without_slash_is_found_through_path() -> None:
    entries = Entry("usr/bin/app", AMD64_ELF), Entry("opt/app", ARM64_ELF)
    assert looked_at(*entries, entrypoint=("app",)).path == "/usr/bin/app"
    found = looked_at(*entries, entrypoint=("app",), environment=("PATH=/opt:/usr/bin",))
    assert (found.path, found.verdict) == ("/opt/app", BinaryVerdict.ARM64)


def test_c06_path_passes_by_what_is_not_executable() -> None:
    found = looked_at(
        Entry("bin/app", AMD64_ELF, 0o644),
        Entry("opt/app", ARM64_ELF),
        entrypoint=("app",),
        environment=("PATH=/bin:/opt",),
    )
    assert (found.path, found.verdict) == ("/opt/app", BinaryVerdict.ARM64)


def test_c06_a_relative_path_starts_in_the_working_directory() -> None:
    found = looked_at(Entry("srv/bin/app", AMD64_ELF), entrypoint=("./bin/app",), working_directory="/srv")
    assert (found.path, found.verdict) == ("/srv/bin/app", BinaryVerdict.X86_64)


def test_c06_links_are_followed_over_layers_and_directories() -> None:
    lower = tar(directory("usr/bin"), Entry("usr/bin/app-1", AMD64_ELF), link("bin", "usr/bin"))
    found = looked_at(link("app", "/bin/app"), link("usr/bin/app", "app-1"), lower=(lower,))
    assert (found.path, found.verdict) == ("/usr/bin/app-1", BinaryVerdict.X86_64)


def test_c06_a_hard_link_is_the_file_it_names() -> None:
    found = looked_at(Entry("bin/multi", AMD64_ELF), hard_link("app", "bin/multi"))
    assert found.verdict is BinaryVerdict.X86_64


def test_c06_an_upper_layer_hides_the_lower_ones_file() -> None:
    lower = tar(Entry("app", AMD64_ELF))
    assert looked_at(Entry("app", ARM64_ELF), lower=(lower,)).verdict is BinaryVerdict.ARM64


def test_c06_a_whiteout_takes_the_binary_away() -> None:
    lower = tar(Entry("app", ARM64_ELF))
    found = looked_at(Entry(".wh.app"), lower=(lower,))
    assert (found.verdict, found.reason) == (BinaryVerdict.UNDECIDED, "/app is not a file of the image.")


def test_c06_env_and_launchers_are_followed() -> None:
    tools = Entry("usr/bin/env", ARM64_ELF), Entry("sbin/tini", ARM64_ELF)
    by_env = looked_at(Entry("app", b"#!/usr/bin/env python3\n"), *tools, Entry("usr/bin/python3", AMD64_ELF))
    assert (by_env.verdict, by_env.path) == (BinaryVerdict.X86_64, "/usr/bin/python3")
    by_tini = looked_at(*tools, Entry("srv", AMD64_ELF), entrypoint=("/sbin/tini", "--", "/srv"))
    assert (by_tini.verdict, by_tini.path) == (BinaryVerdict.X86_64, "/srv")


def test_c06_the_shell_form_is_followed() -> None:
    found = looked_at(*SHELL, Entry("srv", AMD64_ELF), entrypoint=("/bin/sh", "-c", "exec /srv --port 80"))
    assert (found.verdict, found.path) == (BinaryVerdict.X86_64, "/srv")


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ((Entry("app", b"\x7fELF"),), "broken ELF"),
        ((Entry("app", b"echo hello"),), "neither an ELF file nor a script"),
        ((Entry("app", ARM64_ELF, 0o644),), "not marked as executable"),
        ((Entry("other", ARM64_ELF),), "not a file of the image"),
        ((link("app", "app"),), "more than 40 links"),
        ((Entry("app", b"#!/app\n"),), "start one another"),
        ((Entry("app", b"#!\n"),), "is not a file"),
        ((directory("app"),), "not a file of the image"),
        ((hard_link("app", "nothing"),), "cannot be unpacked"),
        ((Entry("a", b""), Entry("a/app", b"")), "cannot be unpacked"),
    ],
)
def test_c06_what_cannot_be_decided_is_never_arm64(entries: tuple[Entry, ...], said: str) -> None:
    found = looked_at(*entries)
    assert found.verdict in {BinaryVerdict.UNDECIDED, BinaryVerdict.OTHER}
    assert said in found.reason


def test_c06_a_loader_that_is_missing_leaves_it_undecided() -> None:
    loader = "/lib/ld-linux-aarch64.so.1"
    dynamic = Entry("app", elf(AARCH64_MACHINE, loader))
    assert loader in looked_at(dynamic).reason
    assert looked_at(dynamic).verdict is BinaryVerdict.UNDECIDED
    assert looked_at(dynamic, Entry(loader[1:], ARM64_ELF)).verdict is BinaryVerdict.ARM64


def test_c06_programs_of_other_systems_are_not_arm64() -> None:
    assert looked_at(Entry("app", b"MZ\x90\0")).verdict is BinaryVerdict.OTHER


def test_the_container_definition_overrides_the_image() -> None:
    entries = Entry("app", ARM64_ELF), Entry("other", AMD64_ELF), Entry("tool/other", ARM64_ELF)
    assert looked_at(*entries, overrides=ProcessOverrides(entry_point=("/other",))).verdict is BinaryVerdict.X86_64
    assert looked_at(*entries, entrypoint=(), overrides=ProcessOverrides(command=("/other",))).path == "/other"
    by_path = ProcessOverrides(entry_point=("other",), search_path="/tool")
    assert looked_at(*entries, overrides=by_path).path == "/tool/other"
    moved = ProcessOverrides(entry_point=("./other",), working_directory="/tool")
    assert looked_at(*entries, overrides=moved).path == "/tool/other"


def test_an_entry_point_of_its_own_drops_the_images_command() -> None:
    found = looked_at(
        *SHELL,
        Entry("app", AMD64_ELF),
        command=("/app",),
        entrypoint=(),
        overrides=ProcessOverrides(entry_point=("/bin/sh",)),
    )
    assert found.verdict is BinaryVerdict.ARM64


def test_an_image_without_entry_point_is_undecided() -> None:
    assert "neither entry point nor command" in looked_at(entrypoint=()).reason
