"""A fresh registry credential for one operation: in a Docker configuration of its own, never in the stack's state.

docker-build reads the host's Docker configuration when it starts (docker-build 0.0.22, provider/internal/host.go), so
a token there is no input of any resource: it shows up in no preview and no state (facts F32, case C28).

A process that is killed leaves its configuration behind. It stands in the stack's working directory, under the process
that made it, and the next operation there takes away what is provably nobody's any more.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from migrate.adapters.processes import LocalProcesses, ProcessTable, alive
from migrate.adapters.pulumi.locks import StartedProcesses

RegistryCredentials = Callable[[str], "tuple[str, str] | None"]
"""Returns user and password for a registry host, None where the host's own configuration has to do."""

_PREFIX = ".login-"
_OWNER = ".owner.json"
_TOKEN_LIVES = timedelta(hours=12)
"""How long ECR takes a token (Amazon ECR API reference, GetAuthorizationToken)."""


@contextmanager
def docker_configuration(
    registry: str, credentials: RegistryCredentials, environment: Mapping[str, str], directory: Path
) -> Iterator[dict[str, str]]:
    """Give the environment in which docker-build and buildx know ``registry``; its folder is gone afterwards.

    The folder is in ``directory``, the stack's working directory.
    """
    login = credentials(registry) if registry else None
    if login is None:
        yield {}
        return
    home = _docker_home(environment)
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=directory.absolute()) as made:
            folder = Path(made)
            (folder / _OWNER).write_text(json.dumps(_this_process(LocalProcesses())))
            configuration = folder / "config.json"
            configuration.touch(mode=0o600)
            configuration.write_text(json.dumps(with_login(_read(home / "config.json"), registry, *login)))
            for name in ("contexts", "tls"):
                if (home / name).is_dir():
                    (folder / name).symlink_to(home / name)
            # The builders stay those of the person: buildx keeps them below the Docker configuration unless told.
            yield {"DOCKER_CONFIG": made, "BUILDX_CONFIG": environment.get("BUILDX_CONFIG") or str(home / "buildx")}
    finally:
        # Only now: a Pulumi that outlived a killed run may have pushed with its login until this one had the lock.
        forget_abandoned_logins(directory)


def forget_abandoned_logins(directory: Path, processes: ProcessTable | None = None) -> None:
    """Remove the configurations that killed processes of this machine left in a stack's working directory.

    One stays while its process lives, or one of the Pulumi processes that were started there; in doubt, and where
    another machine made it, until its token is worth nothing any more.
    """
    table = processes or LocalProcesses()
    used = StartedProcesses(table).any_lives(directory)
    for folder in directory.glob(f"{_PREFIX}*"):
        if _is_old(folder) or (not used and _is_abandoned(_read(folder / _OWNER), table)):
            shutil.rmtree(folder, ignore_errors=True)


def _this_process(processes: ProcessTable) -> dict[str, Any]:
    return {"process": os.getpid(), "machine": processes.machine(), "mark": processes.started(os.getpid())}


def _is_abandoned(owner: Mapping[str, Any], processes: ProcessTable) -> bool:
    here = owner.get("machine") == processes.machine() and isinstance(owner.get("process"), int)
    return here and alive(processes, owner["process"], owner.get("mark")) is False


def _is_old(folder: Path) -> bool:
    try:
        return time.time() - folder.stat().st_mtime > _TOKEN_LIVES.total_seconds()
    except OSError:
        return False


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
