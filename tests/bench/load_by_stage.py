"""How many requests fail while real containers move from amd64 to arm64, to Spot and back, stage by stage."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from migrate.sandbox import engine
from migrate.sandbox.demo.seed import seed
from migrate.sandbox.sandbox import Sandbox
from tests.e2e.conftest import Operator
from tests.e2e.load import Load

Figure = tuple[str, float, str]

_COMMANDS = {
    "stage_0": ("apply", "--stage", "0", "--yes"),
    "stage_1": ("apply", "--stage", "1", "--yes"),
    "stage_2": ("apply", "--stage", "2", "--yes"),
    "stage_3": ("apply", "--stage", "3", "--yes"),
    "rollback": ("rollback", "--to", "original", "--yes"),
}


def load_figures() -> Iterator[Figure]:
    """Yield requests and failed requests of each stage, then of all; nothing where containers cannot run."""
    obstacle = engine.obstacle()
    if obstacle is not None:
        sys.stderr.write(f"No figures under load: {obstacle.why}\n")
        return
    with tempfile.TemporaryDirectory(prefix="migrate-bench-") as folder:
        yield from _stages(Path(folder))


def _stages(folder: Path) -> Iterator[Figure]:
    with Sandbox.start(folder / "sandbox", containers=True) as up, Load(up.balancer) as load:
        operator = Operator(folder, up, seed(up))
        operator.init()
        with load.span() as whole:
            yield from _under_load(operator, load)
        yield "load_requests", float(whole.requests), "requests"
        yield "load_failed_requests", float(len(whole.failures)), "requests"


def _under_load(operator: Operator, load: Load) -> Iterator[Figure]:
    for name, command in _COMMANDS.items():
        with load.span() as asked:
            operator.done(*command)
        yield f"load_requests_{name}", float(asked.requests), "requests"
        yield f"load_failed_requests_{name}", float(len(asked.failures)), "requests"
