"""``python -m migrate.sandbox.toolchain``: makes every part ready and prints where it is."""

from __future__ import annotations

import sys

from migrate.sandbox.toolchain.parts import ensure
from migrate.sandbox.toolchain.progress import Progress
from migrate.sandbox.toolchain.set_up import set_up


def ensure_all() -> None:
    """Make the tool chain ready, and say where each part is. Raises EngineError for a part that cannot be had."""
    tools = ensure(Progress())
    for name, path in (
        ("pulumi", tools.pulumi),
        ("docker-build", tools.docker_build),
        ("buildkitd", tools.buildkitd or f"a builder in the Docker engine at {tools.docker_host}"),
        ("ministack", tools.ministack_python),
        ("go", tools.go),
        ("aws plugin", tools.aws_plugin or "the sandbox's stand-in"),
    ):
        sys.stdout.write(f"{name:<12} {path}\n")


if __name__ == "__main__":
    sys.exit(set_up(ensure_all))
