"""A start followed through an image: its program, and what launchers, interpreters and scripts start in turn.

Sources: execvp(3), Linux fs/binfmt_script.c, and what image_scan_commands.py names.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace

from migrate.core.image.binaries import MACHINE_VERDICTS, BinaryEvidence, BinaryVerdict, Process, undecided
from migrate.core.image.executables import HEAD_BYTES, ElfHeader, Opaque, Script
from migrate.core.image.filesystem import Directory, File, FileTree, Found
from migrate.core.image.scan_commands import (
    SERVICE_DIRECTORIES,
    SUPERVISORS,
    is_built_in,
    is_launcher,
    is_shell,
    launched,
    read_shell,
)
from migrate.core.image.scan_modules import platform_key
from migrate.core.image.scan_runtimes import Runtime, runtime_of, runtime_of_library

_MOST_HOPS = 12
_MOST_STEPS = 512
_MOST_WORDS = 64
_MOST_DIRECTORIES = 64
_WORST_FIRST = (BinaryVerdict.X86_64, BinaryVerdict.OTHER, BinaryVerdict.UNDECIDED)


@dataclass(slots=True)
class StartTrace:
    """What a start was seen to run.

    ``is_open``: it also starts something that only the run can tell. ``on_volumes`` are programs that are not in the
    image and that a volume may bring.
    """

    steps: list[BinaryEvidence] = field(default_factory=list)
    runtimes: set[Runtime] = field(default_factory=set)
    is_open: bool = False
    on_volumes: list[str] = field(default_factory=list)

    @property
    def worst(self) -> BinaryEvidence:
        """The program that decides: one for another machine is enough to fail."""
        for verdict in _WORST_FIRST:
            for step in self.steps:
                if step.verdict is verdict:
                    return step
        return self.steps[-1] if self.steps else undecided("Nothing of the start could be followed.")


def trace_start(tree: FileTree, process: Process) -> StartTrace:
    """Follow a process through the tree. Never fails; what cannot be followed is a step that decides nothing."""
    trace = StartTrace()
    if not process.arguments or not process.arguments[0]:
        trace.steps.append(undecided("The image names neither entry point nor command."))
    elif tree.faults:
        trace.steps.append(undecided(f"The layers cannot be unpacked as written: {tree.faults[0]}."))
    else:
        _Walk(tree, process, trace).start(process.arguments, ())
    return trace


@dataclass(slots=True)
class _Walk:
    """One start being followed; a shell's command is followed once, so that scripts that call each other end."""

    tree: FileTree
    process: Process
    trace: StartTrace
    followed: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)

    def start(self, arguments: tuple[str, ...], chain: tuple[str, ...]) -> None:
        """Follow one command line: its program, and what that starts in turn."""
        name, rest = arguments[0], arguments[1:]
        found = self.program(name)
        if len(self.trace.steps) >= _MOST_STEPS:
            self.trace.is_open = True
            return
        if len(chain) >= _MOST_HOPS:
            self.trace.steps.append(undecided(f"More than {_MOST_HOPS} programs start one another.", found.path, chain))
            return
        chain = (*chain, _hop(name, found))
        if not isinstance(found.node, File) and self.may_be_mounted(name):
            self.mounted(name, rest, chain)
            return
        content = found.node.content if isinstance(found.node, File) and found.node.is_executable else None
        if posixpath.basename(name) in SUPERVISORS:
            self.services(chain)
        if isinstance(content, Script):
            self.script(content, rest, chain)
            return
        self.trace.steps.append(_program_evidence(self.tree, found, name, chain))
        self.note_runtime(found, name, content)
        self.hand_on(posixpath.basename(name), rest, chain)

    def may_be_mounted(self, name: str) -> bool:
        """Tell whether a program that is not in the image may lie on a volume."""
        path = posixpath.normpath(posixpath.join(self.process.working_directory, name))
        return "/" in name and any(f"{path}/".startswith(f"{mount.rstrip('/')}/") for mount in self.process.mounts)

    def mounted(self, name: str, rest: tuple[str, ...], chain: tuple[str, ...]) -> None:
        """Follow what a program on a volume is given: agents are put before an entry point in this way."""
        self.trace.on_volumes.append(name)
        first = len(self.trace.steps)
        self.first_known(rest, chain)
        if len(self.trace.steps) == first:
            reason = f"{name} is not a file of the image; it may lie on a volume."
            self.trace.steps.append(undecided(reason, name, chain))

    def note_runtime(self, found: Found, name: str, content: object) -> None:
        """Remember which interpreter runs, by the name of the program or by a library that it needs."""
        named = {runtime_of(found.path), runtime_of(name)}
        needed = {runtime_of_library(item) for item in content.needed} if isinstance(content, ElfHeader) else set()
        self.trace.runtimes |= {runtime for runtime in named | needed if runtime is not None}

    def hand_on(self, base: str, rest: tuple[str, ...], chain: tuple[str, ...]) -> None:
        """Follow what a launcher or a shell starts with the rest of its arguments."""
        if base == "busybox" and rest and not is_shell(rest[0]):
            return
        if is_shell(base):
            self.shell(rest[1:] if base == "busybox" else rest, chain)
            return
        command = launched(base, rest)
        if command is not None:
            self.first_known(command, chain, is_certain=is_launcher(base))

    def services(self, chain: tuple[str, ...]) -> None:
        """Follow what a supervisor starts by the names of directories; what its own files name, only the run tells."""
        self.trace.is_open = True
        for directory in SERVICE_DIRECTORIES:
            node = self.tree.find(directory).node
            for name in sorted(node.children) if isinstance(node, Directory) else ():
                self.command((f"{directory}/{name}/run",), chain)

    def shell(self, rest: tuple[str, ...], chain: tuple[str, ...]) -> None:
        """Follow a shell: the text after ``-c`` (also as part of ``-ec``), or the script that it is given."""
        position = 0
        while position < len(rest):
            word = rest[position]
            if word.startswith("-") and not word.startswith("--") and "c" in word:
                text, after = rest[position + 1 : position + 2], rest[position + 3 :]
                if text:
                    self.commands(text[0], after, chain)
                return
            if not word.startswith(("-", "+")):
                self.shell_script(word, rest[position + 1 :], chain)
                return
            position += 2 if word[-1] in "oO" and not word.startswith("--") else 1

    def shell_script(self, name: str, rest: tuple[str, ...], chain: tuple[str, ...]) -> None:
        """Follow a script that a shell is given by name; without a ``#!`` line its text was not kept."""
        found = self.tree.find(posixpath.join(self.process.working_directory, name))
        content = found.node.content if isinstance(found.node, File) else None
        if isinstance(content, Script):
            text, is_cut = content.text, _is_cut(content)
            self.commands(text, rest, (*chain, _hop(name, found)), is_cut=is_cut)
        else:
            self.trace.is_open = True

    def script(self, script: Script, rest: tuple[str, ...], chain: tuple[str, ...]) -> None:
        """Follow a file that begins with ``#!``: its interpreter, then what its text starts where that is a shell."""
        # The kernel takes the interpreter as a path; a bare name is looked up in the working directory, not in PATH.
        interpreter = posixpath.join(self.process.working_directory, script.interpreter)
        base = posixpath.basename(interpreter)
        words: tuple[str, ...] = ()
        if is_launcher(base):
            # The kernel hands on one argument; env -S splits it, and the others are taken to find one word in it.
            whole = base == "env" and script.argument.startswith(("-S", "--split-string"))
            words = (script.argument,) if whole else tuple(script.argument.split())
            base = posixpath.basename(next(iter(launched(base, words) or ()), ""))
        self.start((interpreter, *words), chain)
        if is_shell(base):
            text = script.text.partition("\n")[2]
            self.commands(text, rest, chain, is_cut=_is_cut(script))
            return
        # A tool written for an interpreter may start what it is given (ddtrace-run gunicorn ...).
        command = launched(posixpath.basename(_name_of(chain[-1])), rest)
        if command is not None:
            self.first_known(command, chain)

    def first_known(self, arguments: tuple[str, ...], chain: tuple[str, ...], *, is_certain: bool = False) -> None:
        """Follow the first of the words that names a program; where a launcher's own next word names none, say so."""
        for position, name in enumerate(arguments[:_MOST_WORDS]):
            if name and not name.startswith("-") and isinstance(self.program(name).node, File):
                self.start(arguments[position:], chain)
                return
        if arguments and not arguments[0]:
            self.trace.is_open = True
        elif is_certain and arguments:
            found = self.program(arguments[0])
            self.trace.steps.append(_program_evidence(self.tree, found, arguments[0], (*chain, arguments[0])))

    def commands(self, text: str, rest: tuple[str, ...], chain: tuple[str, ...], *, is_cut: bool = False) -> None:
        """Follow what a shell text plainly starts; built-ins lead to no file and say nothing."""
        reading = read_shell(text, dict(self.process.variables))
        first = len(self.trace.steps)
        for words in reading.commands:
            self.command(words, chain)
        # A text that was cut off may end in `exec "$@"` as well.
        if rest and (reading.passes_arguments or is_cut or len(self.trace.steps) == first):
            self.first_known(rest, chain)
        elif is_cut:
            self.trace.is_open = True
        self.trace.is_open |= reading.is_open
        if reading.asks_machine:
            self.choose(first)

    def command(self, words: tuple[str, ...], chain: tuple[str, ...]) -> None:
        """Follow one command of a shell text, where it names a program of the image."""
        if is_built_in(words[0]):
            return
        found = self.program(words[0])
        content = found.node.content if isinstance(found.node, File) and found.node.is_executable else None
        if isinstance(content, ElfHeader | Script) and (found.path, words) not in self.followed:
            self.followed.add((found.path, words))
            self.start(words, chain)

    def choose(self, first: int) -> None:
        """Judge a text that looks at its machine: an x86 program is no fault where an arm64 one stands beside it.

        Without one it is not known whether an arm64 machine gets there.
        """
        steps = self.trace.steps[first:]
        ours = {platform_key(step.path) for step in steps if step.verdict is BinaryVerdict.ARM64} - {None}
        reason = "The script looks at its machine first, and whether an arm64 one gets to this program is not known."
        judged = []
        for step in steps:
            if step.verdict not in {BinaryVerdict.X86_64, BinaryVerdict.OTHER}:
                judged.append(step)
            elif platform_key(step.path) not in ours:
                judged.append(replace(step, verdict=BinaryVerdict.UNDECIDED, reason=f"{step.reason} {reason}"))
        self.trace.steps[first:] = judged

    def program(self, name: str) -> Found:
        """Look a program up as execvp does: through PATH unless its name holds a slash."""
        if "/" in name:
            return self.tree.find(posixpath.join(self.process.working_directory, name))
        for directory in self.process.search_path.split(":", _MOST_DIRECTORIES)[:_MOST_DIRECTORIES]:
            found = self.tree.find(posixpath.join(self.process.working_directory, directory, name))
            if isinstance(found.node, File) and found.node.is_executable:
                return found
        return Found(name, None)


def _program_evidence(tree: FileTree, found: Found, name: str, chain: tuple[str, ...]) -> BinaryEvidence:
    node = found.node
    if not isinstance(node, File):
        return undecided(f"{found.fault or f'{name} is not a file of the image'}.", found.path, chain)
    if not node.is_executable:
        return undecided(f"{found.path} is not marked as executable.", found.path, chain, node.layer)
    if isinstance(node.content, ElfHeader):
        return _elf_evidence(tree, found.path, node, node.content, chain)
    if isinstance(node.content, Script):
        return undecided(f"{found.path} is a script where a program was expected.", found.path, chain, node.layer)
    kind = f" ({node.content.kind})" if isinstance(node.content, Opaque) and node.content.kind else ""
    verdict = BinaryVerdict.OTHER if kind else BinaryVerdict.UNDECIDED
    reason = f"{found.path} is neither an ELF file nor a script{kind}."
    return BinaryEvidence(found.path, None, verdict, reason, chain, node.layer)


def _elf_evidence(tree: FileTree, path: str, node: File, elf: ElfHeader, chain: tuple[str, ...]) -> BinaryEvidence:
    reason = f"{path} is an ELF file for {elf.machine_name}."
    verdict = MACHINE_VERDICTS.get(elf.machine, BinaryVerdict.OTHER)
    if verdict is BinaryVerdict.ARM64 and elf.loader and not isinstance(tree.find(elf.loader).node, File):
        reason += f" The loader it asks for, {elf.loader}, is not in the image."
        verdict = BinaryVerdict.UNDECIDED
    return BinaryEvidence(path, elf.machine, verdict, reason, chain, node.layer)


def _is_cut(script: Script) -> bool:
    """Tell whether more of a script may follow what was kept of it: at times its first line alone is."""
    return len(script.text) >= HEAD_BYTES or "\n" not in script.text


def _hop(name: str, found: Found) -> str:
    return name if found.path == name or found.node is None else f"{name} -> {found.path}"


def _name_of(hop: str) -> str:
    return hop.partition(" -> ")[0]
