"""``python -m migrate.sandbox.prepare_containers``: has a Docker engine ready for the tests with real containers.

Where this machine cannot run containers it says why; that is an error only if MIGRATE_CONTAINERS is ``required``, as
in CI.
"""

from __future__ import annotations

import os
import sys

from migrate.sandbox import engine
from migrate.sandbox.toolchain.parts import ensure_engine
from migrate.sandbox.toolchain.progress import Progress
from migrate.sandbox.toolchain.set_up import set_up


def find_or_build() -> None:
    """Find or build the engine, and say where it is. Raises EngineError where one is required and cannot be had."""
    obstacle = engine.obstacle()
    if obstacle is None:
        _say(engine.find() or ", ".join(str(path) for path in ensure_engine(Progress())))
    elif os.environ.get("MIGRATE_CONTAINERS") == "required":
        raise obstacle
    else:
        _say(f"not on this machine: {obstacle.why} {obstacle.then}")


def _say(what: str) -> None:
    sys.stdout.write(f"{'containers':<12} {what}\n")


if __name__ == "__main__":
    sys.exit(set_up(find_or_build))
