"""How long `migrate --help` takes from nothing to its end, beside `aws --version` and `pulumi version`.

Each is the installed command as an operator types it, in its own process, in turn within one run; the best of several
turns counts, since what else the machine does slows down any of them. The AWS CLI is version 1 of the same environment,
on the same Python: version 2 brings a Python of its own, and starts no faster.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from migrate.sandbox.toolchain.parts import ensure

Figure = tuple[str, float, str]

_TURNS = 15


def help_figures() -> Iterator[Figure]:
    """Yield the milliseconds of the help, and how many times as long the others take; above 1 the help is faster."""
    scripts = Path(sys.executable).parent
    beside = {"aws": (str(scripts / "aws"), "--version"), "pulumi": (str(ensure().pulumi), "version")}
    commands = {"migrate": (str(scripts / "migrate"), "--help"), **beside}
    best = dict.fromkeys(commands, float("inf"))
    for _ in range(_TURNS):
        for name, command in commands.items():
            best[name] = min(best[name], _seconds(command))
    yield "help_ms", best["migrate"] * 1000, "ms"
    for name in beside:
        yield f"help_vs_{name}", best[name] / best["migrate"], "x"


def _seconds(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return time.perf_counter() - started
