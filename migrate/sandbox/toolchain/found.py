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
    """Return the provider plugin ``name`` as Pulumi installed it on this machine, under PULUMI_HOME.

    With ``version`` only that one counts, since a plugin answers for the schema of its own SDK; without it, the newest.
    A plugin that merely lies on PATH is not taken: most cannot be asked for their version.
    """
    folder = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"
    wanted = f"resource-{name}-v{version}" if version else f"resource-{name}-v*"
    installed = sorted(folder.glob(f"{wanted}/pulumi-resource-{name}"), key=lambda path: numbers(path.parent.name))
    return installed[-1] if installed else None


def buildkitd_on_path() -> Path | None:
    """Return the ``buildkitd`` on PATH when it is new enough."""
    program = shutil.which("buildkitd")
    told = answer([program, "--version"]) if program else None
    # It answers `buildkitd github.com/moby/buildkit v0.34.2 <revision>`.
    words = [word for word in (told or "").split() if word.startswith("v")]
    if program is None or not words or numbers(words[0]) < numbers(pinned.BUILDKIT_MINIMUM):
        return None
    return Path(program)


def docker_engine() -> str | None:
    """Return the address of this machine's Docker engine when a builder in it can serve the sandbox, else None.

    It has to run on this machine itself, since the sandbox's registry listens on loopback (Docker Desktop's runs in a
    virtual machine), and its client needs buildx.
    """
    docker = shutil.which("docker")
    if docker is None or numbers(answer((docker, "buildx", "version")) or "")[:2] < numbers(pinned.BUILDX_MINIMUM):
        return None
    system = answer((docker, "info", "--format", "{{.OperatingSystem}}"))
    address = answer((docker, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"))
    if not system or "Docker Desktop" in system or not address or not address.startswith("unix://"):
        return None
    return address
