"""Whether the process that a container starts is a program for the architecture that its image claims.

Metadata can say arm64 over an x86-64 binary; every task then dies with "exec format error" (facts F28, F33).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from migrate.core.image_documents import ImageConfig
from migrate.core.image_executables import AARCH64_MACHINE, HEAD_BYTES, X86_64_MACHINE, ElfHeader, Opaque, Script
from migrate.core.image_filesystem import File, FileTree, Found

DEFAULT_SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MOST_HOPS = 6
_MOST_COMMANDS = 64
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "busybox", "ksh", "zsh"})
_LAUNCHERS = frozenset(
    {"catatonit", "docker-init", "dumb-init", "env", "gosu", "nice", "su-exec", "tini", "tini-static"}
)
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_COMMAND = re.compile(
    r"(?:^|&&|\|\||;|\||\()[ \t]*"
    r"(?:(?:exec|then|do|else|if|elif|while|until|nohup|time|!)[ \t]+|[A-Za-z_]\w*=\S*[ \t]+)*"
    r"([\w./+-]+)",
    re.MULTILINE,
)


class BinaryVerdict(StrEnum):
    """What the started program is for; undecided is never good enough for a proof."""

    ARM64 = "arm64"
    X86_64 = "x86_64"
    OTHER = "other"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class BinaryEvidence:
    """The file that decides: its path in the image, its e_machine, and how the start led there."""

    path: str
    machine: int | None
    verdict: BinaryVerdict
    reason: str
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Process:
    """What a container starts: arguments, the value of PATH and the directory it starts in."""

    arguments: tuple[str, ...]
    search_path: str = DEFAULT_SEARCH_PATH
    working_directory: str = "/"


@dataclass(frozen=True, slots=True)
class ProcessOverrides:
    """What a container definition sets over its image (ECS API, ContainerDefinition); None: not set."""

    entry_point: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    search_path: str | None = None
    working_directory: str | None = None


NO_OVERRIDES = ProcessOverrides()


def process_of(config: ImageConfig, overrides: ProcessOverrides = NO_OVERRIDES) -> Process:
    """Return the process of a container; an entry point of its own drops the image's command, as in Docker."""
    entry_point = overrides.entry_point or config.entrypoint
    command = overrides.command or (() if overrides.entry_point else config.command)
    return Process(
        (*entry_point, *command),
        overrides.search_path or config.search_path or DEFAULT_SEARCH_PATH,
        overrides.working_directory or config.working_directory or "/",
    )


def undecided(reason: str, path: str = "", chain: tuple[str, ...] = ()) -> BinaryEvidence:
    """Return evidence that decides nothing, and why."""
    return BinaryEvidence(path, None, BinaryVerdict.UNDECIDED, reason, chain)


def judge_process(tree: FileTree, process: Process) -> BinaryEvidence:
    """Say what the process is for. The worst program on the way counts: one x86-64 file is enough to fail."""
    if not process.arguments or not process.arguments[0]:
        return undecided("The image names neither entry point nor command.")
    if tree.faults:
        return undecided(f"The layers cannot be unpacked as written: {tree.faults[0]}.")
    steps = list(_started(tree, process, process.arguments, ()))
    for verdict in (BinaryVerdict.X86_64, BinaryVerdict.OTHER, BinaryVerdict.UNDECIDED):
        for step in steps:
            if step.verdict is verdict:
                return step
    return steps[-1]


def _started(
    tree: FileTree, process: Process, arguments: tuple[str, ...], chain: tuple[str, ...]
) -> Iterator[BinaryEvidence]:
    """Follow one command line: its program, and what launchers, shells and scripts start in turn."""
    name, rest = arguments[0], arguments[1:]
    found = _program(tree, process, name)
    if len(chain) >= _MOST_HOPS:
        yield undecided(f"More than {_MOST_HOPS} programs start one another.", found.path, chain)
        return
    chain = (*chain, _hop(name, found))
    content = found.node.content if isinstance(found.node, File) and found.node.is_executable else None
    if isinstance(content, Script):
        yield from _script(tree, process, content, rest, chain)
        return
    yield _program_evidence(tree, found, name, chain)
    base = posixpath.basename(name)
    if base in _LAUNCHERS:
        yield from _first_known(tree, process, rest, chain)
    elif base in _SHELLS and "-c" in rest[:-1]:
        yield from _commands(tree, process, rest[rest.index("-c") + 1], chain)


def _script(
    tree: FileTree, process: Process, script: Script, rest: tuple[str, ...], chain: tuple[str, ...]
) -> Iterator[BinaryEvidence]:
    # The kernel takes the interpreter as a path; a bare name is looked up in the working directory, not in PATH.
    interpreter = posixpath.join(process.working_directory, script.interpreter)
    arguments = script.argument.split() if posixpath.basename(interpreter) == "env" else [script.argument]
    yield from _started(tree, process, (interpreter, *filter(None, arguments)), chain)
    if posixpath.basename(interpreter) in _SHELLS:
        yield from _commands(tree, process, script.text.partition("\n")[2], chain)
        # An entry script commonly ends in `exec "$@"`.
        yield from _first_known(tree, process, rest, chain)


def _first_known(
    tree: FileTree, process: Process, arguments: tuple[str, ...], chain: tuple[str, ...]
) -> Iterator[BinaryEvidence]:
    for position, name in enumerate(arguments):
        if name and not name.startswith("-") and isinstance(_program(tree, process, name).node, File):
            yield from _started(tree, process, arguments[position:], chain)
            return


def _commands(tree: FileTree, process: Process, text: str, chain: tuple[str, ...]) -> Iterator[BinaryEvidence]:
    """Follow what a shell text plainly starts; built-ins and variables lead to no file and say nothing."""
    names = dict.fromkeys(match[1] for match in _COMMAND.finditer(_COMMENT.sub("", text[:HEAD_BYTES])))
    for name in list(names)[:_MOST_COMMANDS]:
        found = _program(tree, process, name)
        if isinstance(found.node, File) and isinstance(found.node.content, ElfHeader):
            yield _program_evidence(tree, found, name, (*chain, _hop(name, found)))


def _program(tree: FileTree, process: Process, name: str) -> Found:
    """Look a program up as execvp does: through PATH unless its name holds a slash."""
    if "/" in name:
        return tree.find(posixpath.join(process.working_directory, name))
    for directory in process.search_path.split(":"):
        found = tree.find(posixpath.join(process.working_directory, directory, name))
        if isinstance(found.node, File) and found.node.is_executable:
            return found
    return Found(name, None)


def _program_evidence(tree: FileTree, found: Found, name: str, chain: tuple[str, ...]) -> BinaryEvidence:
    node = found.node
    if not isinstance(node, File):
        return undecided(f"{found.fault or f'{name} is not a file of the image'}.", found.path, chain)
    if not node.is_executable:
        return undecided(f"{found.path} is not marked as executable.", found.path, chain)
    if isinstance(node.content, ElfHeader):
        return _elf_evidence(tree, found.path, node.content, chain)
    if isinstance(node.content, Script):
        return undecided(f"{found.path} is a script where a program was expected.", found.path, chain)
    kind = f" ({node.content.kind})" if isinstance(node.content, Opaque) and node.content.kind else ""
    verdict = BinaryVerdict.OTHER if kind else BinaryVerdict.UNDECIDED
    return BinaryEvidence(found.path, None, verdict, f"{found.path} is neither an ELF file nor a script{kind}.", chain)


def _elf_evidence(tree: FileTree, path: str, elf: ElfHeader, chain: tuple[str, ...]) -> BinaryEvidence:
    reason = f"{path} is an ELF file for {elf.machine_name}."
    verdict = _MACHINE_VERDICTS.get(elf.machine, BinaryVerdict.OTHER)
    if verdict is BinaryVerdict.ARM64 and elf.loader and not isinstance(tree.find(elf.loader).node, File):
        reason += f" The loader it asks for, {elf.loader}, is not in the image."
        verdict = BinaryVerdict.UNDECIDED
    return BinaryEvidence(path, elf.machine, verdict, reason, chain)


_MACHINE_VERDICTS: Mapping[int, BinaryVerdict] = {
    AARCH64_MACHINE: BinaryVerdict.ARM64,
    X86_64_MACHINE: BinaryVerdict.X86_64,
}


def _hop(name: str, found: Found) -> str:
    return name if found.path == name or found.node is None else f"{name} -> {found.path}"
