"""The state of a stack of a team's own program, by the Pulumi command line and in the team's own environment.

The Automation API's export asks for secrets in plain text (pulumi 3.272 SDK, LocalWorkspace.export_stack); the command
line's does not.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from migrate.adapters.pulumi.command_line import find
from migrate.adapters.pulumi.locks import LOCKED
from migrate.adapters.state_file import kept_beside
from migrate.errors import AccessError, EngineError, LockedError, MigrateError, NotFoundError

_SECONDS = 600.0
_PASSPHRASE = re.compile(r"incorrect passphrase|passphrase must be set")
_NO_STACK = re.compile(r"no stack (named|selected)|no Pulumi\.yaml project file|could not find the current project")


class ProgramState:
    """Implements StackState on a stack of the program in ``directory``: on ``stack``, or on the one selected there."""

    def __init__(self, directory: Path, stack: str | None, environment: Mapping[str, str]) -> None:
        self._directory = directory
        self._stack = stack
        self._environment = {**environment, "PULUMI_SKIP_UPDATE_CHECK": "true"}

    @property
    def place(self) -> str:
        """Stack and folder."""
        return f"{f'stack {self._stack}' if self._stack else 'the selected stack'} of {self._directory}"

    def read(self) -> str:
        """Return the state. Raises NotFoundError, LockedError, AccessError or EngineError."""
        return self._ran("export")

    def keep(self, text: str) -> str:
        """Write a copy into the program's folder. Raises SettingsError."""
        name = (self._stack or "selected").replace("/", ".")
        return kept_beside(self._directory / f"{name}.json", text)

    def write(self, text: str) -> None:
        """Import a state: one write for Pulumi's backend.

        Raises NotFoundError, LockedError, AccessError or EngineError.
        """
        self._ran("import", given=text)

    def import_command(self) -> str:
        """Return nothing: what was written is in the stack."""
        return ""

    def way_back(self, kept: str) -> str:
        """Return the command that imports the copy."""
        return f"pulumi {' '.join(self._arguments('import'))} --cwd {self._directory} --file {kept}"

    def _arguments(self, verb: str) -> list[str]:
        return ["stack", verb, *(["--stack", self._stack] if self._stack else [])]

    def _ran(self, verb: str, given: str | None = None) -> str:
        if not self._directory.is_dir():
            raise NotFoundError(f"{self._directory} is no folder.", then="Name the folder that holds Pulumi.yaml.")
        command = [find(self._environment).path, "--non-interactive", *self._arguments(verb)]
        try:
            done = subprocess.run(
                command,
                cwd=self._directory,
                env=self._environment,
                # Through a pipe: no second copy of the state is left on the disk.
                input=given or "",
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_SECONDS,
                check=True,
            )
        except subprocess.CalledProcessError as failed:
            raise _translated(verb, str(failed.stderr).strip(), self.place) from failed
        except (OSError, subprocess.TimeoutExpired) as failed:
            raise _translated(verb, str(failed), self.place) from failed
        return done.stdout


def _translated(verb: str, told: str, place: str) -> MigrateError:
    if LOCKED.search(told):
        return LockedError(
            f"The state of {place} is locked by another Pulumi process.",
            why=told,
            then="Wait for it to end, then run this again; `pulumi cancel` there only where that process is gone.",
            runbook="errors#stack-locked",
        )
    if _PASSPHRASE.search(told):
        return AccessError(
            f"The state of {place} cannot be decrypted.",
            why=told,
            then="Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE as the stack was made with.",
            runbook="errors#passphrase",
        )
    if _NO_STACK.search(told):
        return NotFoundError(
            f"There is no {place}.",
            why=told,
            then="Name folder and stack as `pulumi stack ls` shows them: --directory, --stack.",
        )
    return EngineError(
        f"Pulumi could not {verb} the state of {place}.",
        why=told,
        then=f"Let `pulumi stack {verb}` work there by hand first: the same login, backend and passphrase.",
        runbook="docker-build#adopt-the-state",
    )
