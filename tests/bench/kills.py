"""How many of the kills of a whole migration are resumed to the end of an undisturbed one."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.killing import Disturbed, at_work, kills_of, nothing_happens, seen, unlike

Figure = tuple[str, float, str]


def kill_figures() -> Iterator[Figure]:
    """Yield the kills of one migration to Spot and back, at every boundary and at random moments, and those resumed."""
    with tempfile.TemporaryDirectory(prefix="migrate-bench-") as folder:
        undisturbed = nothing_happens(_made(folder, "undisturbed"))
        with at_work(_made(folder, "disturbed")) as operator:
            disturbed, resumed = Disturbed(operator), 0
            try:
                for leg, kills in kills_of(undisturbed, int(os.environ.get("MIGRATE_KILL_SEED", "1"))).items():
                    before = len(disturbed.done)
                    disturbed.carry_out(leg, kills)
                    differences = unlike(seen(operator), undisturbed.found[leg])
                    sys.stderr.write(f"{leg}: {len(disturbed.done) - before} kills\n{differences}")
                    resumed += 0 if differences else len(disturbed.done) - before
            finally:
                disturbed.clear_away()
            yield "kills_total", float(len(disturbed.done)), "kills"
            yield "kills_resumed", float(resumed), "kills"


def _made(folder: str, name: str) -> Path:
    path = Path(folder) / name
    path.mkdir()
    return path
