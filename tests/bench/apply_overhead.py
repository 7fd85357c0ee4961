"""What `migrate apply` costs over a bare `pulumi up` of the same program, with the same change, in the same sandbox.

Stage 2, again and again: amd64 to ARM64, a revision that is registered already. All preview, update, and wait until
ECS calls the deployment complete, looking once a second; none refreshes; the gate has no soak. What `apply` does beside
that is its overhead: the claim, the look before, preflight, the record, the proof on the running tasks.

Two things are a bare `pulumi up`, and they are not equally fair. `apply_overhead` is over a program on the Automation
API as Pulumi's guide has it: a person's own tool. It asks for the version, selects the stack, and asks for outputs and
history afterwards, which `apply` leaves out: part of what apply costs is hidden behind that. The stricter one,
`apply_overhead_over_command`, is over the one process that somebody types, which previews and updates at once, while
apply has to judge the preview between the two and starts a second one. A language host would start the program twice
more, so that nothing typed is quicker than what is measured here.

All run with what Python has compiled already. Wall times are the quickest of ROUNDS each: on a machine with other work
the quickest is the one that was disturbed least. `…_cpu` compares the least processor time of a program and all its
children, which other work disturbs little; what the sandbox's AWS computes is in none of it.
"""

from __future__ import annotations

import itertools
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
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
_BEGUN = "engines-begun"
_GATE = {"interval": "1s", "soak": "0s", "deadline": "3m"}


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run of a program took: seconds, processor seconds with its children, processes of Pulumi."""

    seconds: float
    cpu: float
    engines: int


@dataclass(frozen=True, slots=True)
class Bench:
    """One service in one sandbox, at stage 1 between the rounds."""

    directory: Path
    environment: Mapping[str, str]
    seeded: Seeded

    def run(self, *command: str) -> Ran:
        """Run a program, and return what it took."""
        started, before, begun = time.monotonic(), _cpu_of_children(), self._engines_begun()
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
        return Ran(time.monotonic() - started, _cpu_of_children() - before, self._engines_begun() - begun)

    def migrate(self, *arguments: str) -> Ran:
        """Run the tool."""
        return self.run("migrate", *arguments)

    def up(self, way: str) -> Ran:
        """Run Pulumi without the tool."""
        bare = ("tests.bench.bare_up", way)
        return self.run(*bare, str(self.configured.parent), self.seeded.cluster, self.seeded.service)

    def _engines_begun(self) -> int:
        begun = self.directory / _BEGUN
        return len(begun.read_text(encoding="utf-8").splitlines()) if begun.exists() else 0

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
    """Yield the overheads in percent, the times in seconds, processes of Pulumi, and where the tool's time goes."""
    with tempfile.TemporaryDirectory(prefix="migrate-bench-") as folder, Sandbox.start(Path(folder) / "sandbox") as up:
        bench = Bench(Path(folder), _counting(up.environment(), Path(folder)), seed(up))
        _at_stage_1(bench, up.builder)
        at_1, applied, parts = bench.configured.read_text(), list[Ran](), list[dict[str, float]]()
        for _ in range(ROUNDS):
            began = time.time()
            applied.append(bench.migrate("apply", "--stage", "2", "--yes"))
            parts.append(bench.parts(began, time.time()))
            at_2 = bench.configured.read_text()
            bench.migrate("rollback", "--to-stage", "1", "--yes")
        bare: dict[str, list[Ran]] = {"api": [], "command": []}
        for way in list(bare) * ROUNDS:
            bench.configured.write_text(at_2)
            bare[way].append(bench.up(way))
            bench.configured.write_text(at_1)
            bench.up(way)
        yield from _compared(applied, bare["api"], bare["command"])
        fastest = min(range(ROUNDS), key=lambda number: applied[number].seconds)
        for name, seconds in parts[fastest].items():
            yield name, seconds, "s"


def _compared(applied: Sequence[Ran], api: Sequence[Ran], command: Sequence[Ran]) -> Iterator[Figure]:
    for name, bare in (("apply_overhead", api), ("apply_overhead_over_command", command)):
        yield name, 100 * (_seconds(applied) / _seconds(bare) - 1), "%"
        yield f"{name}_cpu", 100 * (_cpu(applied) / _cpu(bare) - 1), "%"
    for name, ran in (("apply", applied), ("bare_up", api), ("bare_command", command)):
        yield f"{name}_s", _seconds(ran), "s"
        yield f"{name}_cpu_s", _cpu(ran), "s"
        yield f"{name}_engines", min(item.engines for item in ran), "processes"


def _seconds(ran: Sequence[Ran]) -> float:
    return min(item.seconds for item in ran)


def _cpu(ran: Sequence[Ran]) -> float:
    return min(item.cpu for item in ran)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _counting(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment with a `pulumi` first on PATH that notes each start, and what Python compiled in use."""
    program = folder / "counting" / "pulumi"
    program.parent.mkdir()
    real = shutil.which("pulumi", path=environment["PATH"])
    program.write_text(f"#!/bin/sh\necho \"$1\" >>'{folder / _BEGUN}'\nexec '{real}' \"$@\"\n", encoding="utf-8")
    program.chmod(0o755)
    found = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**found, "PATH": f"{program.parent}{os.pathsep}{environment['PATH']}"}


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
