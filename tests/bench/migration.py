"""How long each command of a whole migration takes on the sandbox, and how many AWS calls a plan costs.

A gate without a soak: what is measured is our own work and the engine's, not the waiting that an operator asks for.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from migrate.sandbox.demo.seed import seed
from migrate.sandbox.sandbox import Sandbox

Figure = tuple[str, float, str]

_GATE = {"interval": "1s", "soak": "0s", "deadline": "3m"}


def migration_figures() -> Iterator[Figure]:
    """Yield the figures of one migration from the original to Spot and back."""
    with tempfile.TemporaryDirectory(prefix="migrate-bench-") as folder, Sandbox.start(Path(folder) / "sandbox") as up:
        seeded = seed(up)
        directory, environment = Path(folder), up.environment()
        init = ("init", "--cluster", seeded.cluster, "--service", seeded.service, "--builder", up.builder)
        _timed(directory, environment, *init, "--context", str(seeded.context))
        _without_soak(directory / "migrate.toml")
        yield "plan_s", _timed(directory, environment, "plan"), "s"
        yield "plan_aws_calls", float(_plan_calls(directory, environment)), "calls"
        yield "stage_0_apply_s", _timed(directory, environment, "apply", "--stage", "0", "--yes"), "s"
        for stage in ("1", "2", "3"):
            yield f"stage_{stage}_apply_s", _timed(directory, environment, "apply", "--stage", stage, "--yes"), "s"
        yield "rollback_s", _timed(directory, environment, "rollback", "--to", "original", "--yes"), "s"


def _timed(directory: Path, environment: Mapping[str, str], *arguments: str) -> float:
    started = time.monotonic()
    command = [sys.executable, "-m", "migrate", *arguments]
    ended = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.stderr.write(ended.stdout + ended.stderr)
        raise SystemExit(f"`migrate {' '.join(arguments)}` ended with {ended.returncode}")
    return time.monotonic() - started


def _plan_calls(directory: Path, environment: Mapping[str, str]) -> int:
    command = [sys.executable, "-m", "tests.bench.plan_calls", str(directory / "migrate.toml")]
    root = Path(__file__).parents[2]
    return int(subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True).stdout)


def _without_soak(settings: Path) -> None:
    text = settings.read_text(encoding="utf-8")
    for name, value in _GATE.items():
        text = re.sub(rf"^#?\s*{name} = .*$", f'{name} = "{value}"', text, count=1, flags=re.MULTILINE)
    settings.write_text(text, encoding="utf-8")
