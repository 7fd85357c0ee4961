"""Docker's configuration directory: which contexts there are, and which of them is current.

Sources: Docker CLI 28 (cli/config, cli/context/store), buildx 0.35 (util/confutil/config.go, util/dockerutil).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_CONTEXT = "default"
_DEFAULT_HOST = "unix:///var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class DockerConfiguration:
    """The directory and the environment that Docker's clients are run with."""

    directory: Path
    environment: Mapping[str, str]

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> DockerConfiguration:
        """Return the configuration that DOCKER_CONFIG, or else the home directory, leads to."""
        folder = environment.get("DOCKER_CONFIG")
        home = Path(environment.get("HOME") or Path.home())
        return cls(Path(folder) if folder else home / ".docker", environment)

    @property
    def buildx(self) -> Path:
        """Where buildx keeps its builders."""
        folder = self.environment.get("BUILDX_CONFIG")
        return Path(folder) if folder else self.directory / "buildx"

    @property
    def contexts(self) -> dict[str, str]:
        """Every context's name and the address of its engine, ``default`` first."""
        found = {DEFAULT_CONTEXT: self.environment.get("DOCKER_HOST") or _DEFAULT_HOST}
        for path in sorted((self.directory / "contexts" / "meta").glob("*/meta.json")):
            value = read_object(path)
            endpoints = value.get("Endpoints")
            docker = endpoints.get("docker") if isinstance(endpoints, dict) else None
            if isinstance(value.get("Name"), str):
                found[value["Name"]] = str(docker.get("Host", "")) if isinstance(docker, dict) else ""
        return found

    @property
    def current_context(self) -> str:
        """The context in use: DOCKER_HOST stands for the default one, then DOCKER_CONTEXT, then what was chosen."""
        if self.environment.get("DOCKER_HOST"):
            return DEFAULT_CONTEXT
        chosen = self.environment.get("DOCKER_CONTEXT") or read_object(self.directory / "config.json").get(
            "currentContext"
        )
        return str(chosen or DEFAULT_CONTEXT)

    @property
    def current_endpoint(self) -> str:
        """What buildx keys the choice of a builder by: a context's name, or the default one's address."""
        name = self.current_context
        return self.contexts[DEFAULT_CONTEXT] if name == DEFAULT_CONTEXT else name


def read_object(path: Path) -> dict[str, Any]:
    """Return a JSON object, an empty one where the file is missing or holds something else."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
