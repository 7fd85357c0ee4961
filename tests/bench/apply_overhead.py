"""What `migrate apply` costs over a bare `pulumi up` of the same program, with the same change, in the same sandbox.

Stage 2, again and again: amd64 to ARM64, a revision that is registered already. Both preview, update, and wait until
ECS calls the deployment complete, looking once a second; the gate has no soak. What `apply` does beside that is its
overhead: the claim, the look before, preflight, the record, the proof on the running tasks. The quickest of ROUNDS
each: on a machine with other work the quickest is the one that was disturbed least.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from migrate.adapters.store.record_store import SqlRecordStore
from migrate.core.evidence import EventKind
from migrate.sandbox.demo.seed import Seeded, seed
from migrate.sandbox.sandbox import Sandbox

Figure = tuple[str, float, str]

ROUNDS = 3
_MARKS = (
    (EventKind.NOTE, "service stack: preview"),
    (EventKind.INTENT, "service stack: up"),
    (EventKind.OUTCOME, "service stack: up"),
    (EventKind.VERDICT, ""),
)
_PARTS = ("apply_start_s", "apply_look_and_preview_s", "apply_between_s", "apply_up_s", "apply_gate_s", "apply_end_s")
_GATE = {"interval": "1s", "soak": "0s", "deadline": "3m"}


@dataclass(frozen=True, slots=True)
class Bench:
    """One service in one sandbox, at stage 1 between the rounds."""

    directory: Path
    environment: Mapping[str, str]
    seeded: Seeded

    def run(self, *command: str) -> float:
        """Run a program, and return the seconds it took."""
        started = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.directory,
            env={**self.environment, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {ended.returncode}\n{ended.stdout}{ended.stderr}")
        return time.monotonic() - started

    def migrate(self, *arguments: str) -> float:
        """Run the tool."""
        return self.run("migrate", *arguments)

    def up(self) -> float:
        """Run Pulumi without the tool."""
        return self.run("tests.bench.bare_up", str(self.configured.parent), self.seeded.cluster, self.seeded.service)

    @property
    def configured(self) -> Path:
        """The file with the inputs of the service stack."""
        return next((self.directory / ".migrate" / "pulumi" / "migrate-service").glob("*/Pulumi.*.yaml"))

    def parts(self, began: float, ended: float) -> dict[str, float]:
        """Return the seconds of the last run by what it was busy with, from its own evidence."""
        with SqlRecordStore(f"sqlite:///{self.directory / '.migrate' / 'migrate.sqlite'}") as store:
            run = store.runs(store.services()[0])[0]
            events = store.events(run.id)
        marks = [began, run.started_at.timestamp()]
        for kind, step in _MARKS:
            marks.append(next(item.at.timestamp() for item in events if item.kind is kind and item.step.endswith(step)))
        return dict(zip(_PARTS, (after - before for before, after in itertools.pairwise([*marks, ended])), strict=True))


def overhead_figures() -> Iterator[Figure]:
    """Yield the overhead in percent, both times in seconds, and where the tool's own time goes."""
    with tempfile.TemporaryDirectory(prefix="migrate-bench-") as folder, Sandbox.start(Path(folder) / "sandbox") as up:
        bench = Bench(Path(folder), up.environment(), seed(up))
        _at_stage_1(bench, up.builder)
        at_1, at_2, applied, bare = bench.configured.read_text(), "", list[float](), list[float]()
        parts = list[dict[str, float]]()
        for _ in range(ROUNDS):
            began = time.time()
            applied.append(bench.migrate("apply", "--stage", "2", "--yes"))
            parts.append(bench.parts(began, time.time()))
            at_2 = bench.configured.read_text()
            bench.migrate("rollback", "--to-stage", "1", "--yes")
        for _ in range(ROUNDS):
            bench.configured.write_text(at_2)
            bare.append(bench.up())
            bench.configured.write_text(at_1)
            bench.up()
        yield "apply_overhead", 100 * (min(applied) / min(bare) - 1), "%"
        yield "apply_s", min(applied), "s"
        yield "bare_up_s", min(bare), "s"
        for name, seconds in parts[applied.index(min(applied))].items():
            yield name, seconds, "s"


def _at_stage_1(bench: Bench, builder: str) -> None:
    seeded = bench.seeded
    init = ("init", "--cluster", seeded.cluster, "--service", seeded.service, "--builder", builder)
    bench.migrate(*init, "--context", str(seeded.context))
    settings = bench.directory / "migrate.toml"
    text = settings.read_text(encoding="utf-8")
    for name, value in _GATE.items():
        text = re.sub(rf"^#?\s*{name} = .*$", f'{name} = "{value}"', text, count=1, flags=re.MULTILINE)
    settings.write_text(text, encoding="utf-8")
    for stage in ("0", "1", "2"):
        bench.migrate("apply", "--stage", stage, "--yes")
    bench.migrate("rollback", "--to-stage", "1", "--yes")
