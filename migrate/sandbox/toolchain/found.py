"""Parts of the tool chain that a person already has, and whether they are new enough to be used as they are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from migrate.sandbox.toolchain import pinned
from migrate.sandbox.toolchain.commands import answer
from migrate.sandbox.toolchain.golang import numbers


def pulumi_on_path() -> Path | None:
    """Return the ``pulumi`` on PATH when it is new enough for the docker-build provider."""
    program = shutil.which("pulumi")
    told = answer(["env", "PULUMI_SKIP_UPDATE_CHECK=true", program, "version"]) if program else None
    if program is None or told is None or numbers(told) < numbers(pinned.PULUMI_MINIMUM):
        return None
    return Path(program)


def plugin(name: str, version: str | None = None) -> Path | None:
    """Return the provider plugin ``name`` on PATH or among the installed ones of PULUMI_HOME.

    With ``version``, only that version counts, since a plugin answers for the schema of its own SDK; the engine takes
    one on PATH whatever its version, so that one is asked. Without, the newest installed one is taken.
    """
    binary = f"pulumi-resource-{name}"
    on_path = shutil.which(binary)
    if on_path and (version is None or _plugin_version(on_path) == numbers(version)):
        return Path(on_path)
    folder = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"
    wanted = f"resource-{name}-v{version}" if version else f"resource-{name}-v*"
    installed = sorted(folder.glob(f"{wanted}/{binary}"), key=lambda path: numbers(path.parent.name))
    return installed[-1] if installed else None


def _plugin_version(program: str) -> tuple[int, ...]:
    return numbers(answer([program, "-version"]) or "")


def buildkitd_on_path() -> Path | None:
    """Return the ``buildkitd`` on PATH when it is new enough."""
    program = shutil.which("buildkitd")
    told = answer([program, "--version"]) if program else None
    # It answers `buildkitd github.com/moby/buildkit v0.34.2 <revision>`.
    words = [word for word in (told or "").split() if word.startswith("v")]
    if program is None or not words or numbers(words[0]) < numbers(pinned.BUILDKIT_MINIMUM):
        return None
    return Path(program)
