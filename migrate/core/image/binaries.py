"""What a container starts, what checks its health, and what a program was found to be built for.

Metadata can say arm64 over an x86-64 binary; every task then dies with "exec format error" (facts F28, F33). How a
start is followed through an image stands in image_scan_start.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from migrate.core.image.documents import ImageConfig
from migrate.core.image.executables import AARCH64_MACHINE, X86_64_MACHINE

DEFAULT_SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DEFAULT_SHELL = ("/bin/sh", "-c")
_CHECK_FORMS = ("CMD", "CMD-SHELL")
_PATH_VALUE = re.compile(r"/[\w./+:@-]{0,400}")


class BinaryVerdict(StrEnum):
    """What the started program is for; undecided is never good enough for a proof."""

    ARM64 = "arm64"
    X86_64 = "x86_64"
    OTHER = "other"
    UNDECIDED = "undecided"


MACHINE_VERDICTS: Mapping[int, BinaryVerdict] = {
    AARCH64_MACHINE: BinaryVerdict.ARM64,
    X86_64_MACHINE: BinaryVerdict.X86_64,
}


@dataclass(frozen=True, slots=True)
class BinaryEvidence:
    """The file that decides: its path in the image, its e_machine, and how the start led there.

    ``layer`` is the number of the layer that holds it, lowest first from 1; 0 where no file decides.
    """

    path: str
    machine: int | None
    verdict: BinaryVerdict
    reason: str
    chain: tuple[str, ...] = ()
    layer: int = 0


@dataclass(frozen=True, slots=True)
class Process:
    """What runs in a container: arguments, PATH, the directory it starts in, LD_LIBRARY_PATH and what holds paths.

    ``variables`` are environment variables whose values are absolute paths; no other value is of use here, and none
    that may be a secret is carried about. ``mounts`` are directories whose content volumes bring.
    """

    arguments: tuple[str, ...]
    search_path: str = DEFAULT_SEARCH_PATH
    working_directory: str = "/"
    library_path: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    mounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcessOverrides:
    """What a container definition sets over its image (ECS API, ContainerDefinition); None: not set.

    ``health_check`` is the command of the definition's healthCheck, ``CMD`` or ``CMD-SHELL`` first; ``mounts`` are the
    paths of its volumes, ``/`` where it takes those of another container, whose paths are not told.
    """

    entry_point: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    search_path: str | None = None
    working_directory: str | None = None
    library_path: str | None = None
    health_check: tuple[str, ...] | None = None
    variables: tuple[tuple[str, str], ...] = ()
    mounts: tuple[str, ...] = ()


NO_OVERRIDES = ProcessOverrides()


def path_variables(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the variables whose values are absolute paths, sorted; all others are dropped, secrets with them."""
    return tuple(sorted((name, value) for name, value in environment.items() if _PATH_VALUE.fullmatch(value)))


def process_of(config: ImageConfig, overrides: ProcessOverrides = NO_OVERRIDES) -> Process:
    """Return the process of a container; an entry point of its own drops the image's command, as in Docker."""
    entry_point = overrides.entry_point or config.entrypoint
    command = overrides.command or (() if overrides.entry_point else config.command)
    return _process((*entry_point, *command), config, overrides)


def health_check_of(config: ImageConfig, overrides: ProcessOverrides = NO_OVERRIDES) -> Process | None:
    """Return the process of the health check: the definition's, or else the image's; None where there is none.

    ECS runs the definition's only: it "does not monitor Docker health checks that are embedded in a container image
    and not specified in the container definition" (ECS API, HealthCheck). CMD-SHELL goes through the image's shell,
    ``/bin/sh -c`` where it names none (OCI image configuration, Docker's SHELL).
    """
    words = overrides.health_check if overrides.health_check is not None else config.health_check
    form, rest = (words[0], words[1:]) if words else ("NONE", ())
    if form == "NONE" or (form in _CHECK_FORMS and not rest):
        return None
    if form == "CMD":
        return _process(rest, config, overrides)
    text = " ".join(rest if form == "CMD-SHELL" else words)
    return _process((*(config.shell or _DEFAULT_SHELL), text), config, overrides)


def _process(arguments: tuple[str, ...], config: ImageConfig, overrides: ProcessOverrides) -> Process:
    environment = dict(config.environment)
    variables = dict(path_variables(environment)) | dict(overrides.variables)
    library_path = overrides.library_path
    return Process(
        arguments,
        overrides.search_path or config.search_path or DEFAULT_SEARCH_PATH,
        overrides.working_directory or config.working_directory or "/",
        environment.get("LD_LIBRARY_PATH", "") if library_path is None else library_path,
        tuple(sorted(variables.items())),
        overrides.mounts,
    )


def undecided(reason: str, path: str = "", chain: tuple[str, ...] = (), layer: int = 0) -> BinaryEvidence:
    """Return evidence that decides nothing, and why."""
    return BinaryEvidence(path, None, BinaryVerdict.UNDECIDED, reason, chain, layer)
