"""Retries and waits of the provider, each with its limit (retry helper of the Terraform plugin SDK)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tenacity import Retrying, retry_if_exception, wait_exponential

from migrate.sandbox.aws_plugin.errors import ApiError, PluginError

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.sandbox.aws_plugin.values import Props

T = TypeVar("T")
_NOT_FOUND_CHECKS = 20
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Goal:
    """A state to wait for: ``target`` ("" means gone), ``pending`` states to wait through, limit in seconds."""

    target: str
    pending: tuple[str, ...]
    seconds: float


class Waiter:
    """Repeats calls; ``sleep`` and ``clock`` are in seconds, for tests."""

    def __init__(
        self,
        sleep: Callable[[float], None] = time.sleep,  # noqa: TID251 - the default of an injected sleep
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.sleep = sleep
        self.clock = clock

    def retry(self, call: Callable[[], T], when: Callable[[ApiError], bool], seconds: float) -> T:
        """Call until it succeeds, while ``when`` says that its error may pass; raises the last one at the limit."""
        deadline = self.clock() + seconds
        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, ApiError) and when(error)),
            # Not stop_after_delay: it reads the machine's clock, whatever the sleep is.
            stop=lambda _: self.clock() >= deadline,
            wait=wait_exponential(multiplier=0.2, max=10),
            sleep=self.sleep,
            reraise=True,
        )
        return retrying(call)

    def until(self, goal: Goal, look: Callable[[], tuple[Props | None, str]]) -> Props | None:
        """Look until the state is the goal's; ``look`` gives the thing (None: not there) and its state.

        Raises :class:`PluginError` for an unexpected state, at the limit, or after 21 looks at nothing.
        """
        deadline, pause, missing = self.clock() + goal.seconds, 0.1, 0
        while True:
            found, state = look()
            if found is None:
                if not goal.target:
                    return None
                missing += 1
                if missing > _NOT_FOUND_CHECKS:
                    raise PluginError(f"couldn't find resource ({missing} retries)")
            elif goal.target and state == goal.target:
                return found
            elif state not in goal.pending:
                wanted = f"wanted target '{goal.target}'" if goal.target else "wanted target ''"
                raise PluginError(f"unexpected state '{state}', {wanted}. last error: %!s(<nil>)")
            if self.clock() >= deadline:
                span = f"{int(goal.seconds // MINUTE)}m{int(goal.seconds % MINUTE)}s"
                raise PluginError(
                    f"timeout while waiting for state to become '{goal.target}' (last state: '{state}', "
                    f"timeout: {span})"
                )
            self.sleep(pause)
            pause = min(pause * 2, 10.0)
