"""The Pulumi command line of an environment: found, and asked for its version.

Imports none of Pulumi, so that the question can be under way while that, or an answer of AWS, is waited for.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from semver import VersionInfo

from migrate.errors import EngineError

OLDEST_VERSION = VersionInfo(3, 206, 0)
"""Since then engine events arrive over gRPC, without a file to poll (pulumi 3.272 SDK, Stack._setup_event_log)."""

_VERSION_TIMEOUT = timedelta(seconds=60)
_INSTALL = "Install Pulumi (https://www.pulumi.com/docs/iac/download-install/) so that `pulumi version` answers."


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A Pulumi command line that can be used: where it is, and its version."""

    path: str
    version: VersionInfo


def find(environment: Mapping[str, str]) -> CommandLine:
    """Return the Pulumi command line on the PATH of the environment. Raises EngineError without a usable one."""
    command = _find(environment)
    return CommandLine(command, _check_version(command, environment))


def asked_for(environment: Mapping[str, str]) -> Callable[[], CommandLine]:
    """Look for the command line meanwhile; what is returned waits for it, and raises as ``find`` does."""
    beside = ThreadPoolExecutor(1, "pulumi version")
    found = beside.submit(find, dict(environment))
    beside.shutdown(wait=False)
    return found.result


def _find(environment: Mapping[str, str]) -> str:
    command = shutil.which("pulumi", path=environment.get("PATH", ""))
    if command is None:
        raise EngineError(
            "The Pulumi command line was not found.",
            why="No `pulumi` is on PATH.",
            then=_INSTALL,
            runbook="errors#engine",
        )
    return command


def _check_version(command: str, environment: Mapping[str, str]) -> VersionInfo:
    try:
        answer = subprocess.run(
            [command, "version"],
            env={**environment, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            timeout=_VERSION_TIMEOUT.total_seconds(),
            check=True,
        )
        version = VersionInfo.parse(answer.stdout.strip().removeprefix("v"))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise EngineError(
            "The Pulumi command line does not say which version it is.",
            why=f"{command} version: {error}",
            then=_INSTALL,
            runbook="errors#engine",
        ) from error
    if version < OLDEST_VERSION or version.major != OLDEST_VERSION.major:
        raise EngineError(
            f"Pulumi {version} cannot be used: {OLDEST_VERSION} or a newer 3.x is needed.",
            why=f"{command} is version {version}.",
            then=_INSTALL,
            runbook="errors#engine",
        )
    return version
