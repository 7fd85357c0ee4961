"""Whether the libraries that a program needs are there for its machine, looked for as its dynamic loader does.

Sources: ld.so(8) (order of search, libraries of another machine are passed by), musl's ldso/dynlink.c (its search
path, and the names that it takes for itself). /etc/ld.so.conf is not read: a library that lies where only that file
may lead counts as found, and one that lies nowhere as undecided, never as missing for certain.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from migrate.core.image.binaries import MACHINE_VERDICTS, BinaryEvidence, BinaryVerdict, Process, undecided
from migrate.core.image.executables import AARCH64_MACHINE, ElfHeader
from migrate.core.image.filesystem import File, FileTree
from migrate.core.image.scan_runtimes import Runtime, runtime_of_library

_GLIBC_DIRECTORIES = (
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib/aarch64-linux-gnu",
    "/usr/local/lib64",
    "/usr/local/lib",
)
_MUSL_DIRECTORIES = ("/lib", "/usr/local/lib", "/usr/lib")
_MUSL_OWN = tuple(f"lib{name}." for name in ("c", "pthread", "rt", "m", "dl", "util", "xnet"))
_BROUGHT_BY_HOST = ("libcuda.", "libnvidia-", "linux-vdso.", "ld-linux-", "ld-musl-")
_MOST_LOOKUPS = 200_000
_MOST_DIRECTORIES = 128
_MOST_TOLD = 20

Libraries = Mapping[str, Sequence[tuple[str, int, int]]]
"""Shared libraries of an image by base name: path, e_machine and layer of each."""


@dataclass(slots=True)
class LibraryTrace:
    """What a program's libraries are: only those that are wrong or were not found, and the interpreters among them."""

    faults: list[BinaryEvidence] = field(default_factory=list)
    runtimes: set[Runtime] = field(default_factory=set)


def trace_libraries(
    tree: FileTree, process: Process, programs: tuple[BinaryEvidence, ...], everywhere: Libraries
) -> LibraryTrace:
    """Follow DT_NEEDED from arm64 programs. ``everywhere`` knows the libraries of the whole image by name."""
    trace = LibraryTrace()
    _Search(tree, process, everywhere, trace).follow(programs)
    return trace


@dataclass(slots=True)
class _Object:
    """A program or library being looked through; ``inherited`` are the directories of those that led to it."""

    path: str
    elf: ElfHeader
    chain: tuple[str, ...]
    inherited: tuple[str, ...]
    is_musl: bool


@dataclass(slots=True)
class _Search:
    tree: FileTree
    process: Process
    everywhere: Libraries
    trace: LibraryTrace
    seen: set[tuple[str, str]] = field(default_factory=set)
    lookups: int = 0

    def follow(self, programs: tuple[BinaryEvidence, ...]) -> None:
        waiting: list[_Object] = []
        for program in programs:
            node = self.tree.find(program.path).node
            if not isinstance(node, File) or not isinstance(node.content, ElfHeader):
                continue
            if node.content.machine == AARCH64_MACHINE and (program.path, "") not in self.seen:
                self.seen.add((program.path, ""))
                loader = self.loader(program, node.content)
                waiting.append(_Object(program.path, node.content, program.chain, (), _is_musl(loader)))
        while waiting and len(self.trace.faults) < _MOST_TOLD:
            current = waiting.pop()
            for name in current.elf.needed:
                if self.lookups > _MOST_LOOKUPS:
                    text = "The programs need more libraries than were looked for."
                    self.trace.faults.append(undecided(text, current.path, current.chain))
                    return
                waiting += self.resolve(current, name)

    def loader(self, program: BinaryEvidence, elf: ElfHeader) -> str:
        """Judge the loader itself: the kernel starts it, and one for another machine fails the program."""
        if not elf.loader:
            return ""
        found = self.tree.find(elf.loader)
        if isinstance(found.node, File) and isinstance(found.node.content, ElfHeader):
            machine = found.node.content.machine
            if machine != AARCH64_MACHINE:
                place = (found.path, machine, found.node.layer)
                self.trace.faults.append(_wrong(elf.loader, (*program.chain, elf.loader), place))
        return f"{elf.loader} {found.path}"

    def resolve(self, current: _Object, name: str) -> Iterator[_Object]:
        """Look one library up; yield it where it has to be looked through in turn."""
        runtime = runtime_of_library(posixpath.basename(name))
        if runtime is not None:
            self.trace.runtimes.add(runtime)
        if name.startswith(_BROUGHT_BY_HOST) or (current.is_musl and name.startswith(_MUSL_OWN)):
            return
        own = tuple(_origin(entry, current.path) for entry in current.elf.library_path)
        directories = (*own, *current.inherited)
        chain = (*current.chain, name)
        wrong: tuple[str, int, int] | None = None
        for path in self.candidates(directories, current, name):
            self.lookups += 1
            found = self.tree.find(path)
            if not isinstance(found.node, File) or not isinstance(found.node.content, ElfHeader):
                continue
            if found.node.content.machine == AARCH64_MACHINE:
                yield from self.once(found.path, found.node.content, chain, directories, current)
                return
            wrong = wrong or (found.path, found.node.content.machine, found.node.layer)
        yield from self.anywhere(current, name, chain, directories, wrong)

    def candidates(self, directories: tuple[str, ...], current: _Object, name: str) -> Iterator[str]:
        if "/" in name:
            yield posixpath.join(self.process.working_directory, name)
            return
        defaults = _MUSL_DIRECTORIES if current.is_musl else _GLIBC_DIRECTORIES
        given = [item for item in self.process.library_path.split(":", _MOST_DIRECTORIES) if item]
        for directory in (*directories[:_MOST_DIRECTORIES], *given[:_MOST_DIRECTORIES], *defaults):
            yield posixpath.join(self.process.working_directory, directory, name)

    def anywhere(
        self,
        current: _Object,
        name: str,
        chain: tuple[str, ...],
        directories: tuple[str, ...],
        wrong: tuple[str, int, int] | None,
    ) -> Iterator[_Object]:
        """Judge a library that does not lie where the loader is known to look."""
        places = self.everywhere.get(posixpath.basename(name), ())
        right = next((place for place in places if place[1] == AARCH64_MACHINE), None)
        if (name, current.path) in self.seen:
            return
        self.seen.add((name, current.path))
        if right is not None and wrong is not None:
            text = f"{wrong[0]} is for another machine, and {right[0]} lies where the loader is not known to look."
            self.trace.faults.append(undecided(text, wrong[0], chain, wrong[2]))
        elif right is not None:
            node = self.tree.find(right[0]).node
            if isinstance(node, File) and isinstance(node.content, ElfHeader):
                yield from self.once(right[0], node.content, chain, directories, current)
        elif wrong is not None or places:
            self.trace.faults.append(_wrong(name, chain, wrong or places[0]))
        else:
            text = f"{current.path} needs {name}, which was not found in the image."
            self.trace.faults.append(undecided(text, current.path, chain))

    def once(
        self, path: str, elf: ElfHeader, chain: tuple[str, ...], directories: tuple[str, ...], current: _Object
    ) -> Iterator[_Object]:
        if (path, "") not in self.seen:
            self.seen.add((path, ""))
            # DT_RPATH is inherited and DT_RUNPATH is not; which of them it was is not told apart here.
            inherited = tuple(dict.fromkeys(directories))[:16]
            yield _Object(path, elf, chain, inherited, current.is_musl)


def _is_musl(loader: str) -> bool:
    # gcompat lets musl's loader answer to the name of glibc's.
    return "musl" in loader or "gcompat" in loader


def _wrong(name: str, chain: tuple[str, ...], place: tuple[str, int, int]) -> BinaryEvidence:
    path, machine, layer = place
    verdict = MACHINE_VERDICTS.get(machine, BinaryVerdict.OTHER)
    reason = f"{name} is needed, and {path} is for {ElfHeader(machine).machine_name}."
    return BinaryEvidence(path, machine, verdict, reason, chain, layer)


def _origin(entry: str, path: str) -> str:
    """Return a directory of RUNPATH with the tokens that ld.so(8) knows filled in."""
    filled = entry
    for token, value in (
        ("ORIGIN", posixpath.dirname(path)),
        ("LIB", "lib/aarch64-linux-gnu"),
        ("PLATFORM", "aarch64"),
    ):
        filled = filled.replace(f"${{{token}}}", value).replace(f"${token}", value)
    return filled
