"""``python -m migrate.sandbox.toolchain``: makes every part ready and prints where it is."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from migrate.errors import ExitCode, MigrateError
from migrate.sandbox.toolchain.parts import ensure
from migrate.sandbox.toolchain.progress import Progress

if TYPE_CHECKING:
    from types import FrameType


def _stop(_signal: int, _frame: FrameType | None) -> None:
    # Raised as an interrupt, so that the running command is ended and the half-made folder swept.
    raise KeyboardInterrupt


def main() -> int:
    """Make the tool chain ready; the exit code is the process's."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        tools = ensure(Progress())
    except MigrateError as error:
        sys.stderr.write(f"\n{error}\n{error.then}\n")
        return int(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Start the same command again: it goes on where it stopped.\n")
        return int(ExitCode.INTERRUPTED)
    for name, path in (
        ("pulumi", tools.pulumi),
        ("docker-build", tools.docker_build),
        ("buildkitd", tools.buildkitd or f"a builder in the Docker engine at {tools.docker_host}"),
        ("ministack", tools.ministack_python),
        ("go", tools.go),
        ("aws plugin", tools.aws_plugin or "the sandbox's stand-in"),
    ):
        sys.stdout.write(f"{name:<12} {path}\n")
    return int(ExitCode.DONE)


if __name__ == "__main__":
    sys.exit(main())
