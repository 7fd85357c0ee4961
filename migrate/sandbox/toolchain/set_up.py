"""How a command that makes tools ready ends: by the exit codes of the command line, without a traceback."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from migrate.errors import ExitCode, MigrateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def set_up(make_ready: Callable[[], None]) -> int:
    """Run a set-up and return the exit code of its process; an error is told with what to do about it."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        make_ready()
    except MigrateError as error:
        sys.stderr.write(f"\n{error}\n{error.then}\n")
        return int(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Start the same command again: it goes on where it stopped.\n")
        return int(ExitCode.INTERRUPTED)
    return int(ExitCode.DONE)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    # Raised as an interrupt, so that a running build is ended and the half-made folder swept.
    raise KeyboardInterrupt
