"""A whole image judged for arm64: what it starts, what checks its health, what those need, and what else lies in it.

Only x86 files count as foreign in the rest of an image: a file for a third machine was of no use on amd64 either.
One pass over the files; the records kept are small, whatever the image holds.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from migrate.core.image.binaries import (
    NO_OVERRIDES,
    BinaryEvidence,
    BinaryVerdict,
    Process,
    ProcessOverrides,
    health_check_of,
    process_of,
    undecided,
)
from migrate.core.image.documents import ImageConfig
from migrate.core.image.executables import AARCH64_MACHINE, X86_64_MACHINE, Archive, ElfHeader
from migrate.core.image.filesystem import File, FileTree
from migrate.core.image.scan_libraries import trace_libraries
from migrate.core.image.scan_modules import (
    ForeignWheel,
    NativeModule,
    archive_runtime,
    foreign_wheel,
    is_sample,
    native_module,
    platform_key,
)
from migrate.core.image.scan_runtimes import Runtime
from migrate.core.image.scan_start import StartTrace, trace_start

_I386_MACHINE = 0x03
_X86 = frozenset({X86_64_MACHINE, _I386_MACHINE})
_MOST_TOLD = 5
_MOST_NAMES = 4


class Place(StrEnum):
    """Where a group of x86 files lies, as far as it matters to what runs."""

    MODULE = "module"
    OPTIONAL_MODULE = "optional-module"
    ELSEWHERE = "elsewhere"
    BESIDE_ARM64 = "beside-arm64"
    SAMPLE = "sample"


@dataclass(slots=True)
class _Group:
    count: int = 0
    paths: list[str] = field(default_factory=list)
    packages: dict[str, None] = field(default_factory=dict)
    layers: dict[int, None] = field(default_factory=dict)

    def add(self, path: str, layer: int, package: str) -> None:
        self.count += 1
        if len(self.paths) < _MOST_TOLD:
            self.paths.append(path)
            self.layers[layer] = None
        if package:
            self.packages[package] = None


@dataclass(frozen=True, slots=True)
class ForeignFiles:
    """x86 files of one kind: how many, the first few paths in order of name, their layers and their packages.

    A path with ``!/`` in it names a member of an archive. ``runtime`` is the interpreter that loads them.
    """

    place: Place
    runtime: Runtime | None
    count: int
    paths: tuple[str, ...]
    layers: tuple[int, ...]
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImageScan:
    """What was found in an arm64 image.

    ``libraries`` and ``health_libraries`` hold only what is wrong or was not found. ``checks_itself`` says that the
    health check is the image's own, which ECS does not run. ``unread`` are archives that could not be looked into,
    with the reason of the first.
    """

    start: BinaryEvidence
    libraries: tuple[BinaryEvidence, ...] = ()
    health_check: BinaryEvidence | None = None
    health_libraries: tuple[BinaryEvidence, ...] = ()
    checks_itself: bool = False
    runtimes: tuple[Runtime, ...] = ()
    foreign: tuple[ForeignFiles, ...] = ()
    wheels: tuple[ForeignWheel, ...] = ()
    unread: tuple[str, ...] = ()
    unread_reason: str = ""
    on_volumes: tuple[str, ...] = ()
    """Programs of the start that are not in the image and that a volume may bring."""
    sizes: tuple[tuple[str, int], ...] = ()
    """Digest and true size in bytes of layers whose size is not the one that the manifest gives."""


@dataclass(slots=True)
class _Seen:
    """Everything that one pass over the files keeps."""

    libraries: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict)
    foreign: list[tuple[str, int]] = field(default_factory=list)
    programs: list[str] = field(default_factory=list)
    members: list[tuple[str, str, int]] = field(default_factory=list)
    arm64_keys: set[str] = field(default_factory=set)
    arm64_modules: set[str] = field(default_factory=set)
    wheels: list[ForeignWheel] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    unread_reason: str = ""


def unscanned(reason: str) -> ImageScan:
    """Return the scan of an image whose content could not be read."""
    return ImageScan(undecided(reason))


def scan_image(tree: FileTree, config: ImageConfig, overrides: ProcessOverrides = NO_OVERRIDES) -> ImageScan:
    """Judge the tree of an arm64 image with what a container definition sets over it. Never fails."""
    seen = _look(tree)
    process = process_of(config, overrides)
    start = trace_start(tree, process)
    start_libraries = _libraries(tree, process, start, seen)
    check = health_check_of(config, overrides)
    checked = trace_start(tree, check) if check is not None else None
    check_libraries = _libraries(tree, check, checked, seen) if check and checked else ()
    told = {
        item.path for item in (*start.steps, *start_libraries, *(checked.steps if checked else ()), *check_libraries)
    }
    groups, startable = tuple(_grouped(tree, seen, start.runtimes, told)), _startable(seen, told)
    return ImageScan(
        start=_with_open_end(start, startable),
        libraries=start_libraries,
        health_check=_with_open_end(checked, startable) if checked else None,
        health_libraries=check_libraries,
        checks_itself=check is not None and overrides.health_check is None,
        runtimes=tuple(sorted(start.runtimes)),
        foreign=groups,
        wheels=tuple(seen.wheels),
        unread=tuple(seen.unread[:_MOST_TOLD]),
        unread_reason=seen.unread_reason,
        on_volumes=tuple(start.on_volumes[:_MOST_TOLD]),
    )


def _look(tree: FileTree) -> _Seen:
    seen = _Seen()
    for path, node in tree.files():
        content = node.content
        if isinstance(content, ElfHeader):
            _note_elf(seen, path, node, content)
        elif isinstance(content, Archive):
            _note_archive(seen, path, node, content)
        elif node.kept:
            wheel = foreign_wheel(path, node.kept)
            if wheel is not None:
                seen.wheels.append(wheel)
    return seen


def _note_elf(seen: _Seen, path: str, node: File, elf: ElfHeader) -> None:
    name = posixpath.basename(path)
    for soname in _sonames(name):
        seen.libraries.setdefault(soname, []).append((path, elf.machine, node.layer))
    if elf.machine in _X86:
        seen.foreign.append((path, node.layer))
        if node.is_executable and ".so" not in name:
            seen.programs.append(path)
    elif elf.machine == AARCH64_MACHINE:
        key = platform_key(path)
        if key is not None:
            seen.arm64_keys.add(key)
        module = native_module(path)
        if module is not None:
            seen.arm64_modules.add(module.place)


def _sonames(name: str) -> Iterator[str]:
    """Yield the names by which a library may be asked for: links lead from ``libpq.so.5`` to ``libpq.so.5.15``."""
    start = name.find(".so") + len(".so")
    for _ in range(_MOST_NAMES if start >= len(".so") else 0):
        yield name
        if len(name) <= start:
            return
        name = name.rpartition(".")[0]


def _note_archive(seen: _Seen, path: str, node: File, archive: Archive) -> None:
    if archive.fault:
        seen.unread.append(path)
        seen.unread_reason = seen.unread_reason or archive.fault
    for name, elf in archive.members:
        inside = f"{path}!/{name}"
        if elf.machine in _X86:
            seen.members.append((inside, path, node.layer))
        elif elf.machine == AARCH64_MACHINE:
            key = platform_key(inside)
            if key is not None:
                seen.arm64_keys.add(key)


def _libraries(tree: FileTree, process: Process, trace: StartTrace, seen: _Seen) -> tuple[BinaryEvidence, ...]:
    programs = tuple(step for step in trace.steps if step.machine == AARCH64_MACHINE)
    found = trace_libraries(tree, process, programs, seen.libraries)
    trace.runtimes |= found.runtimes
    return tuple(found.faults)


def _grouped(tree: FileTree, seen: _Seen, runtimes: set[Runtime], told: set[str]) -> Iterator[ForeignFiles]:
    groups: dict[tuple[Place, Runtime | None], _Group] = {}
    for path, layer in seen.foreign:
        if path not in told:
            module = native_module(path)
            key = _place(tree, seen, path, module, runtimes)
            groups.setdefault(key, _Group()).add(path, layer, module.package if module else "")
    for inside, archive, layer in seen.members:
        runtime = archive_runtime(archive)
        beside = platform_key(inside) in seen.arm64_keys
        place = Place.OPTIONAL_MODULE if runtime in runtimes else Place.ELSEWHERE
        member_key = (Place.BESIDE_ARM64, None) if beside else (place, runtime if runtime in runtimes else None)
        groups.setdefault(member_key, _Group()).add(inside, layer, posixpath.basename(archive))
    for (place, runtime), group in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        packages = tuple(sorted(group.packages))
        yield ForeignFiles(place, runtime, group.count, tuple(group.paths), tuple(group.layers), packages)


def _place(
    tree: FileTree, seen: _Seen, path: str, module: NativeModule | None, runtimes: set[Runtime]
) -> tuple[Place, Runtime | None]:
    if platform_key(path) in seen.arm64_keys:
        return Place.BESIDE_ARM64, None
    if module is not None and module.runtime in runtimes:
        # A package that has arm64 modules as well was installed for arm64; one more file is then left over.
        is_loaded = module.is_loaded and module.place not in seen.arm64_modules and not _has_twin(tree, path, module)
        return (Place.MODULE if is_loaded else Place.OPTIONAL_MODULE), module.runtime
    return (Place.SAMPLE if is_sample(path) else Place.ELSEWHERE), None


def _has_twin(tree: FileTree, path: str, module: NativeModule) -> bool:
    """Tell whether the same module lies there in Python as well, as it does where mypyc or Cython compiled it."""
    if module.runtime is not Runtime.PYTHON:
        return False
    place, name = posixpath.split(path)
    return isinstance(tree.find(f"{place}/{name.partition('.')[0]}.py").node, File)


def _startable(seen: _Seen, told: set[str]) -> str:
    """Return the first x86 program that a start could run unseen; "" where there is none."""
    unseen = (path for path in seen.programs if path not in told and not is_sample(path))
    return next((path for path in unseen if platform_key(path) not in seen.arm64_keys), "")


def _with_open_end(trace: StartTrace, startable: str) -> BinaryEvidence:
    """Return the program that decides; a start that may start anything is undecided while x86 programs lie about."""
    worst = trace.worst
    if worst.verdict is not BinaryVerdict.ARM64 or not trace.is_open or not startable:
        return worst
    reason = f"It also starts what only the run can tell, and the image holds x86 programs ({startable})."
    return replace(worst, verdict=BinaryVerdict.UNDECIDED, reason=reason)
