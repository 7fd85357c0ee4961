"""What Pulumi has on this machine: its version, the plugins that the programs ask for, and the backend of the state.

Sources: pulumi 3.274, sdk/go/common/workspace/plugins.go (a plugin on PATH is taken, else that of PULUMI_HOME with the
very version that the SDK names); pkg/cmd/pulumi/whoami.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from migrate.adapters.pulumi.engine import Engine
from migrate.adapters.pulumi.program_state import ProgramState
from migrate.adapters.pulumi.stack_file import stack_file
from migrate.adapters.pulumi.workspace import check_passphrase
from migrate.errors import AccessError

_PLUGINS = ("aws", "docker-build")
_SECONDS = 60.0


def pulumi(environment: Mapping[str, str]) -> str:
    """Return version and place of Pulumi. Raises EngineError."""
    engine = Engine(environment)
    return f"{engine.version}, {engine.command}"


def plugins(environment: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    """Return name, version and place of each plugin; the place is empty where it is not installed."""
    return tuple((name, version(f"pulumi-{name}"), _place(name, environment)) for name in _PLUGINS)


def program(directory: Path, stack: str, environment: Mapping[str, str]) -> str:
    """Return where a team's program is and what its stack holds.

    Raises NotFoundError (folder, project or stack), SettingsError (Pulumi.yaml), LockedError, AccessError, EngineError.
    """
    stack_file(directory, stack)
    state = json.loads(ProgramState(directory, stack, environment).read())
    count = len((state.get("deployment") or {}).get("resources") or ())
    return f"stack {stack} of {directory.resolve()}, entries in its state: {count}"


def _place(name: str, environment: Mapping[str, str]) -> str:
    program = f"pulumi-resource-{name}"
    on_path = shutil.which(program, path=environment.get("PATH", ""))
    home = Path(environment.get("PULUMI_HOME") or Path.home() / ".pulumi")
    installed = home / "plugins" / f"resource-{name}-v{version(f'pulumi-{name}')}" / program
    return on_path or (str(installed) if installed.exists() else "")


def backend(state: Path, environment: Mapping[str, str]) -> str:
    """Return where the stacks are kept, once Pulumi has reached it. Raises AccessError, EngineError."""
    url = environment.get("PULUMI_BACKEND_URL", "")
    check_passphrase(url, environment)
    folder = state / "pulumi" / "state"
    if not url and not folder.exists():
        return f"{folder.as_uri()}, not made yet"
    url = url or folder.as_uri()
    command = Engine(environment).command
    variables = {**environment, "PULUMI_BACKEND_URL": url, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            [command, "whoami", "--non-interactive"],
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unreachable(url, type(error).__name__) from error
    if done.returncode:
        raise _unreachable(url, done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}")
    return f"{url}, as {done.stdout.strip()}"


def _unreachable(url: str, why: str) -> AccessError:
    return AccessError(
        f"Pulumi cannot use the backend {url}.",
        why=f"{why}.",
        then="Check PULUMI_BACKEND_URL and the credentials for it (PULUMI_ACCESS_TOKEN for Pulumi Cloud).",
        runbook="errors#access",
    )
