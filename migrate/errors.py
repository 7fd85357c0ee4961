"""The one root of what can go wrong: every error says what happened, why, and what to do next."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process answers to its caller; the meaning of each code never changes."""

    DONE = 0
    FAULT = 1
    USAGE = 2
    BLOCKED = 3
    ROLLED_BACK = 4
    ROLLBACK_INCOMPLETE = 5
    HELD = 6
    LOCKED = 7
    WORLD_CHANGED = 8
    INTERRUPTED = 130


class MigrateError(Exception):
    """Root of all errors that an operator may meet.

    ``what`` is one sentence about what happened, ``why`` the evidence (may be empty), ``then`` what to do next.
    ``runbook`` names a file under ``runbooks/`` and a section in it, as ``errors#fault``.
    """

    exit_code = ExitCode.FAULT
    runbook = "errors#fault"

    def __init__(self, what: str, *, why: str = "", then: str, runbook: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.then = then
        if runbook is not None:
            self.runbook = runbook

    def __str__(self) -> str:
        return f"{self.what} {self.why}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling, and a workflow may store an error.
        return (_rebuilt, (type(self), self.what, self.why, self.then, self.runbook))


def _rebuilt(kind: type[MigrateError], what: str, why: str, then: str, runbook: str) -> MigrateError:
    return kind(what, why=why, then=then, runbook=runbook)


class SettingsError(MigrateError):
    """Settings or arguments that cannot be used: nothing was looked at and nothing changed."""

    exit_code = ExitCode.USAGE
    runbook = "errors#settings"


class UnprovingCheckError(SettingsError):
    """Settings that can be read and must not be acted on: a check of a gate that nothing could ever fail."""

    exit_code = ExitCode.BLOCKED


class AccessError(MigrateError):
    """AWS, a registry or the Pulumi backend could not be asked: credentials, region, permission or network."""

    exit_code = ExitCode.BLOCKED
    runbook = "errors#access"


class TransientError(AccessError):
    """What was asked was not answered as it would be a moment later: throttled, a fault of the other side, no way."""

    runbook = "errors#transient"


class NotFoundError(MigrateError):
    """Something that the settings name does not exist where they say."""

    exit_code = ExitCode.BLOCKED
    runbook = "errors#not-found"


class EngineError(MigrateError):
    """A tool that the migration needs (Pulumi, its plugins, BuildKit) is missing, too old or failed."""

    exit_code = ExitCode.BLOCKED
    runbook = "errors#engine"


class BlockedError(MigrateError):
    """Preflight or the order of stages refuses the act: nothing was changed."""

    exit_code = ExitCode.BLOCKED
    runbook = "errors#blocked"


class UnsafePreviewError(MigrateError):
    """The engine's preview holds a change that no stage may make: nothing was changed."""

    exit_code = ExitCode.BLOCKED
    runbook = "errors#unsafe-preview"


class ProofFailedError(MigrateError):
    """What a stage made is not what it must be; the stage is rolled back before anything else depends on it."""

    exit_code = ExitCode.ROLLED_BACK
    runbook = "gates#image"


class RolledBackError(MigrateError):
    """A gate failed and the stage was rolled back completely."""

    exit_code = ExitCode.ROLLED_BACK
    runbook = "rollback#rolled-back"


class RollbackIncompleteError(MigrateError):
    """A rollback did not reach its end: somebody has to look now."""

    exit_code = ExitCode.ROLLBACK_INCOMPLETE
    runbook = "incident#rollback-incomplete"


class HeldError(MigrateError):
    """The evidence does not decide: everything stays as it is until a person does."""

    exit_code = ExitCode.HELD
    runbook = "errors#held"


class LockedError(MigrateError):
    """Another run holds the service."""

    exit_code = ExitCode.LOCKED
    runbook = "errors#locked"


class ClaimLostError(LockedError):
    """This run held the service and was not heard of for too long: another one took it over, and this one may not act.

    Nothing may be written after it, not even how this run ended.
    """

    runbook = "errors#claim-lost"


class WorldChangedError(MigrateError):
    """The service is no longer what the plan or the record was made from."""

    exit_code = ExitCode.WORLD_CHANGED
    runbook = "errors#world-changed"


class ReplayError(BlockedError):
    """A run that was interrupted cannot be taken up step by step; what is on record is gone on from by a new one."""

    runbook = "errors#interrupted"


class InterruptedRunError(MigrateError):
    """The operator stopped the run; it can be taken up again."""

    exit_code = ExitCode.INTERRUPTED
    runbook = "errors#interrupted"


class RollBackAskedError(MigrateError):
    """The operator asked, in the middle of a stage, to go back from it."""

    exit_code = ExitCode.ROLLED_BACK
    runbook = "rollback#asked-for"


class ToolFaultError(MigrateError):
    """A fault of this tool: something happened that it has no rule for."""
