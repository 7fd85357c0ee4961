from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from migrate.errors import MigrateError
from migrate.sandbox.demo.seed import seed
from migrate.sandbox.demo.tour import Tour, conclude, console, travel
from migrate.sandbox.sandbox import Sandbox


def main() -> int:
    """Run the tour in a sandbox of its own; return its exit code."""
    directory = Path(tempfile.mkdtemp(prefix="migrate-demo-"))
    try:
        with Sandbox.start(directory / "sandbox") as sandbox:
            seeded = seed(sandbox)
            tour = Tour(directory, sandbox.environment(), console())
            travel(tour, context=seeded.context, builder=sandbox.builder)
            conclude(tour)
    except MigrateError as error:
        sys.stderr.write(f"{error}\n{error.then}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; the sandbox is down.\n")
        return 130
    shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
