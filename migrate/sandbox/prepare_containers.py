"""``python -m migrate.sandbox.prepare_containers``: has a Docker engine ready for the tests with real containers.

Where this machine cannot run containers it says why; that is an error only if MIGRATE_CONTAINERS is ``required``, as
in CI.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from migrate.errors import ExitCode, MigrateError
from migrate.sandbox import engine
from migrate.sandbox.toolchain.parts import ensure_engine
from migrate.sandbox.toolchain.progress import Progress

if TYPE_CHECKING:
    from types import FrameType


def _stop(_signal: int, _frame: FrameType | None) -> None:
    # Raised as an interrupt, so that a running build is ended and the half-made folder swept.
    raise KeyboardInterrupt


def main() -> int:
    """Find or build the engine; the exit code is the process's."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        obstacle = engine.obstacle()
        if obstacle is None:
            _say(engine.find() or ", ".join(str(path) for path in ensure_engine(Progress())))
        elif os.environ.get("MIGRATE_CONTAINERS") == "required":
            raise obstacle
        else:
            _say(f"not on this machine: {obstacle.why} {obstacle.then}")
    except MigrateError as error:
        sys.stderr.write(f"\n{error}\n{error.then}\n")
        return int(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Start the same command again: it goes on where it stopped.\n")
        return int(ExitCode.INTERRUPTED)
    return int(ExitCode.DONE)


def _say(what: str) -> None:
    sys.stdout.write(f"{'containers':<12} {what}\n")


if __name__ == "__main__":
    sys.exit(main())
