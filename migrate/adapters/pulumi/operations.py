"""What every operation of the engine goes through: it is tried again where nobody answered, and its end is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from pulumi.automation.errors import CommandError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_chain, wait_fixed

from migrate.adapters.pulumi.engine import Engine, Listener
from migrate.adapters.pulumi.events import EventCollector
from migrate.adapters.pulumi.failure import Failure
from migrate.adapters.pulumi.failures import translate_failure
from migrate.errors import InterruptedRunError, MigrateError, TransientError, UnsafePreviewError

Result = TypeVar("Result")

PAUSES = (5.0, 20.0, 40.0)
"""Seconds before each further try of an operation: about as long as ECS's rate takes to fill up again (facts F21)."""


@dataclass(frozen=True, slots=True)
class Insistence:
    """Runs an operation again where AWS or the registry did not answer: the engine goes on from the state it has."""

    engine: Engine
    tell: Listener
    pauses: tuple[float, ...] = PAUSES

    def __call__(self, operation: Callable[[], Result]) -> Result:
        """Return what the operation returns, after as many tries as there are pauses, and one."""
        attempts = Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=wait_chain(*(wait_fixed(pause) for pause in self.pauses)),
            stop=stop_after_attempt(len(self.pauses) + 1),
            before_sleep=self._tell_of_another_try,
            sleep=self.engine.rest,
            reraise=True,
        )
        return attempts(operation)

    def _tell_of_another_try(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, MigrateError) and state.next_action is not None:
            self.tell(f"{error.what} Trying again in {state.next_action.sleep:.0f} s")


@contextmanager
def told(engine: Engine, collector: EventCollector, operation: Failure) -> Iterator[None]:
    """Translate what an operation ends with; ``operation`` names it as it would be told of its failure.

    Raises InterruptedRunError where the operator stopped it, and the MigrateError that its failure is.
    """
    try:
        yield
    except CommandError as error:
        failure = replace(operation, errors=collector.errors, text=str(error), interrupted=engine.interrupted)
        raise translate_failure(failure) from error
    except KeyboardInterrupt as error:
        raise translate_failure(replace(operation, interrupted=True)) from error
    if engine.interrupted:
        raise InterruptedRunError(
            f"The run was stopped after Pulumi had finished with the {operation.stack} stack.",
            then="`migrate resume` goes on; `migrate status` shows where things stand.",
        )


def refuse_to_drop(gone: Sequence[str], stack: str, diagnostics: Sequence[str], asked: str) -> None:
    """Raise UnsafePreviewError where a refresh would take resources out of ``stack``; ``asked`` is who knew of none."""
    if not gone:
        return
    raise UnsafePreviewError(
        f"A refresh would drop {', '.join(gone)} from {stack}.",
        why="\n".join(diagnostics) or f"{asked} answered that it does not exist.",
        then="Check credentials, region and endpoint. If it is really gone, see the runbook.",
        runbook="errors#refresh-drops",
    )
