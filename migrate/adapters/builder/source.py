"""The Dockerfile and what it copies out of its context, as far as programs go; nothing is built or sent."""

from __future__ import annotations

import re
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from migrate.core.build.dockerfile_context import context_sources
from migrate.core.build.dockerfile_stages import BuildTarget
from migrate.core.build.dockerignore import IgnoredPaths, path_pattern
from migrate.core.build.facts import BuildSource, ContextProgram
from migrate.core.settings import ImageSettings

_LARGEST_DOCKERFILE = 1 << 20
_MOST_FILES = 50_000
_HEADER_BYTES = 20
_ELF = b"\x7fELF"
_BIG_ENDIAN = 2


def read_source(build: ImageSettings, targets: tuple[BuildTarget, ...]) -> BuildSource:
    """Return the Dockerfile's text and the ELF files among what it copies for any of the targets.

    Sources outside the context, or kept out by .dockerignore, are not looked at: the build does not get them either.
    """
    remote = build.is_remote
    if remote and build.dockerfile is None:
        return BuildSource(build.context, "Dockerfile", None, remote=True)
    context = Path(build.context)
    path = Path(build.dockerfile) if build.dockerfile is not None else context / "Dockerfile"
    context_problem = "" if remote or stat.S_ISDIR(_mode(context)) else "it is not a directory."
    try:
        if path.stat().st_size > _LARGEST_DOCKERFILE:
            return BuildSource(build.context, str(path), None, problem="it is larger than 1 MiB.")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        problem = f"{error.strerror or error}."
        return BuildSource(build.context, str(path), None, remote, context_problem, problem)
    if remote or context_problem:
        return BuildSource(build.context, str(path), text, remote, context_problem)
    walk = _Walk(context, _ignored(context, path))
    programs = tuple(sorted(walk.programs(context_sources(text, targets)), key=lambda item: item.path))
    return BuildSource(build.context, str(path), text, programs=programs, cut_short=walk.left < 0)


def _ignored(context: Path, dockerfile: Path) -> IgnoredPaths:
    """Read the .dockerignore of the Dockerfile itself, or else that of the context (Dockerfile reference)."""
    for path in (dockerfile.with_name(f"{dockerfile.name}.dockerignore"), context / ".dockerignore"):
        try:
            return IgnoredPaths(path.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
    return IgnoredPaths("")


@dataclass(slots=True)
class _Walk:
    """Goes through the files that are copied, each once, and through so many at most."""

    context: Path
    ignored: IgnoredPaths
    left: int = _MOST_FILES
    seen: set[str] = field(default_factory=set)

    def programs(self, sources: tuple[str, ...]) -> Iterator[ContextProgram]:
        for source in sources:
            for path in self._files(source):
                machine = _machine(self.context / path)
                if machine is not None:
                    # A name may hold bytes that are no text; what is told of it has to be.
                    yield ContextProgram(
                        path.encode(errors="surrogateescape").decode(errors="backslashreplace"), machine
                    )

    def _files(self, source: str) -> Iterator[str]:
        """Yield the files below a source; one with a pattern is looked for from its last plain directory on."""
        plain = re.split(r"[*?\[]", source, maxsplit=1)[0]
        is_pattern = plain != source
        start = plain.rpartition("/")[0] if is_pattern else source
        if ".." in start.split("/"):
            return
        shape = path_pattern(source) if is_pattern else None
        for path in self._below("" if start in {"", "."} else start):
            parts = path.split("/")
            above = ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
            if shape is None or any(shape.fullmatch(item) for item in above):
                yield path

    def _below(self, start: str) -> Iterator[str]:
        waiting = [start]
        while waiting and self.left >= 0:
            path = waiting.pop()
            kept_out = bool(path) and path in self.ignored
            place = self.context / path
            # The context itself may be a link; below it none is followed.
            mode = _mode(place, follow=not path)
            if path not in self.seen and stat.S_ISDIR(mode):
                if not kept_out or self.ignored.has_exceptions:
                    waiting += [f"{path}/{name}".lstrip("/") for name in _names(place)]
            elif path not in self.seen and stat.S_ISREG(mode) and not kept_out:
                self.seen.add(path)
                self.left -= 1
                yield path


def _mode(path: Path, *, follow: bool = True) -> int:
    """Return what a path is; 0 where there is nothing, or nothing that may be looked at."""
    try:
        return path.stat(follow_symlinks=follow).st_mode
    except (OSError, ValueError):
        return 0


def _names(folder: Path) -> list[str]:
    try:
        return sorted((path.name for path in folder.iterdir()), reverse=True)
    except OSError:
        return []


def _machine(path: Path) -> int | None:
    """Return e_machine of an ELF file, None for any other."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except OSError:
        return None
    if len(head) < _HEADER_BYTES or not head.startswith(_ELF):
        return None
    (machine,) = struct.unpack_from(">H" if head[5] == _BIG_ENDIAN else "<H", head, 18)
    return int(machine)
