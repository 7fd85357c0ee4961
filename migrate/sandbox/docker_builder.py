"""A builder in the Docker engine that this machine already runs, instead of a BuildKit of our own (facts F40)."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from migrate.sandbox.builder import BUILDER, registry_settings
from migrate.sandbox.toolchain.commands import answer, run

if TYPE_CHECKING:
    from migrate.sandbox.layout import Layout
    from migrate.sandbox.state import SandboxState

NAME = "docker"
_CREATE_SECONDS = 300.0
_REMOVE_SECONDS = 60.0


def builder_name(state: SandboxState) -> str:
    """Return a name that no other sandbox of this engine has: its container is named after it."""
    return f"{BUILDER}-{state.mark[:8]}"


def container_name(state: SandboxState) -> str:
    """Return what buildx names the container of the builder's only node."""
    return f"buildx_buildkit_{builder_name(state)}0"


def create(state: SandboxState, layout: Layout) -> None:
    """Create and start the builder; raises EngineError when the engine cannot, as when its image cannot be fetched.

    It shares the host's network, because the registry listens on loopback; buildx copies the certificate into it.
    """
    settings = layout.buildkit / "engine.toml"
    settings.write_text(registry_settings(state, layout))
    run(
        (
            *("docker", "buildx", "create", "--name", builder_name(state), "--driver", "docker-container"),
            *("--driver-opt", "network=host", "--buildkitd-config", settings, "--use", "--bootstrap"),
        ),
        part="The builder in this machine's Docker engine",
        log=layout.logs / f"{NAME}.log",
        timeout=_CREATE_SECONDS,
        environment=_environment(state, layout),
    )
    (layout.docker / "config.json").write_text(json.dumps({}))


def answers(state: SandboxState) -> bool:
    """Whether the builder's container runs."""
    command = ("docker", "--host", state.docker_host, "inspect", "--format", "{{.State.Running}}")
    return answer((*command, container_name(state))) == "true"


def remove(state: SandboxState, layout: Layout) -> None:
    """Remove the builder with all that it kept, however far its creation came; one that is gone is no error."""
    environment = _environment(state, layout)
    docker = ("docker", "--host", state.docker_host)
    answer(("docker", "buildx", "rm", "--force", builder_name(state)), timeout=_REMOVE_SECONDS, environment=environment)
    answer((*docker, "rm", "--force", container_name(state)), timeout=_REMOVE_SECONDS)
    answer((*docker, "volume", "rm", "--force", f"{container_name(state)}_state"), timeout=_REMOVE_SECONDS)


def _environment(state: SandboxState, layout: Layout) -> dict[str, str]:
    # Docker's own configuration stays the person's: buildx may be installed there as a plugin.
    return {
        "DOCKER_HOST": state.docker_host,
        "DOCKER_CONTEXT": "",
        "BUILDX_CONFIG": str(layout.buildx),
        "DOCKER_CONFIG": os.environ.get("DOCKER_CONFIG", ""),
    }
