"""A fresh registry credential for one operation: in a Docker configuration of its own, never in the stack's state.

docker-build reads the host's Docker configuration when it starts (docker-build 0.0.22, provider/internal/host.go), so
a token there is no input of any resource: it shows up in no preview and no state (facts F32, case C28).
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

RegistryCredentials = Callable[[str], "tuple[str, str] | None"]
"""Returns user and password for a registry host, None where the host's own configuration has to do."""


@contextmanager
def docker_configuration(
    registry: str, credentials: RegistryCredentials, environment: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """Give the environment in which docker-build and buildx know ``registry``; its folder is gone afterwards."""
    login = credentials(registry) if registry else None
    if login is None:
        yield {}
        return
    home = _docker_home(environment)
    with tempfile.TemporaryDirectory(prefix="migrate-docker-") as folder:
        directory = Path(folder)
        configuration = directory / "config.json"
        configuration.touch(mode=0o600)
        configuration.write_text(json.dumps(with_login(_read(home / "config.json"), registry, *login)))
        for name in ("contexts", "tls"):
            if (home / name).is_dir():
                (directory / name).symlink_to(home / name)
        # The builders stay those of the person: buildx keeps them below the Docker configuration unless told.
        yield {
            "DOCKER_CONFIG": folder,
            "BUILDX_CONFIG": environment.get("BUILDX_CONFIG") or str(home / "buildx"),
        }


def with_login(configuration: Mapping[str, Any], registry: str, user: str, password: str) -> dict[str, Any]:
    """Return a Docker configuration in which ``registry`` has this login and all others keep theirs.

    A general credential store would hide our entry (docker/cli, ConfigFile.GetAllCredentials), so it becomes the
    helper of every registry that it serves instead.
    """
    changed = dict(configuration)
    helpers = dict(changed.get("credHelpers") or {})
    logins = dict(changed.get("auths") or {})
    store = changed.pop("credsStore", None)
    if store:
        helpers = dict.fromkeys(logins, store) | helpers
    helpers.pop(registry, None)
    logins[registry] = {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
    return {**changed, "auths": logins, "credHelpers": helpers}


def _docker_home(environment: Mapping[str, str]) -> Path:
    folder = environment.get("DOCKER_CONFIG")
    return Path(folder) if folder else Path(environment.get("HOME") or Path.home()) / ".docker"


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
