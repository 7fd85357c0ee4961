"""The tour: one service through all stages and back, driven by the same commands that an operator types.

Every row of the table at the end is what `migrate status` said at that moment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from migrate.errors import ToolFaultError

_COMMAND_SECONDS = 600
_SHORT_DIGEST = 10
_TYPED = "color(31)"
"""A cyan that can be read on light ground, too."""
_GATE = {"interval": "1s", "soak": "1s", "deadline": "3m", "step_soak": "0s"}
"""Short enough for a tour; `migrate init` writes the defaults that a real service deserves."""


@dataclass(slots=True)
class Tour:
    """Types commands, shows them, and remembers what the service looked like after each."""

    directory: Path
    environment: dict[str, str]
    console: Console
    rows: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Tell the reader what comes now."""
        self.console.print(f"\n[bold]{text}[/bold]")

    def run(self, *arguments: str, expect: int = 0) -> None:
        """Type one command and show what an operator sees; anything but the expected exit code ends the tour."""
        self.console.print(f"[{_TYPED}]$ migrate {' '.join(arguments)}[/{_TYPED}]", highlight=False, soft_wrap=True)
        code = subprocess.run(
            self._command(arguments), cwd=self.directory, env=self.environment, timeout=_COMMAND_SECONDS, check=False
        ).returncode
        if expect:
            self.console.print(f"[dim](exit code {code})[/dim]")
        if code != expect:
            raise ToolFaultError(
                f"`migrate {' '.join(arguments)}` ended with exit code {code}; the tour expected {expect}.",
                why="What it printed stands above.",
                then=f"The files of the tour are in {self.directory}.",
            )

    def look(self, moment: str) -> None:
        """Add a row: what `migrate status` says now."""
        answer = subprocess.run(
            self._command(("status", "--output", "json")),
            cwd=self.directory,
            env=self.environment,
            timeout=_COMMAND_SECONDS,
            check=True,
            stdout=subprocess.PIPE,
        )
        self.rows.append((moment, json.loads(answer.stdout)))

    def shorten_gate(self) -> None:
        """Write the tour's short gate into migrate.toml, as an operator would with an editor."""
        path = self.directory / "migrate.toml"
        lines = path.read_text(encoding="utf-8").splitlines()
        for name, value in _GATE.items():
            place = next(number for number, line in enumerate(lines) if line.lstrip("# ").startswith(f"{name} ="))
            lines[place] = f'{name} = "{value}"'
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def table(self) -> Table:
        """Return what was before and after each stage."""
        # Every line below fits into 80 columns, the narrowest terminal that people have.
        table = Table(title="What was before and after each stage", box=None, padding=(0, 2, 1, 0), pad_edge=False)
        for name in ("", "behind\nthe tag", "platforms", "runs", "tasks", "capacity", "USD a month"):
            table.add_column(name, no_wrap=name not in ("", "USD a month"))
        for moment, status in self.rows:
            digest = status["digest"].removeprefix("sha256:")[:_SHORT_DIGEST]
            table.add_row(
                moment,
                f"{digest}\n{_kind(status['media_type'])}",
                "\n".join(name.removeprefix("linux/") for name in status["platforms"]),
                status["revision"],
                _counts(status["architectures"]),
                f"launch type\n{status['launch_type']}" if status["launch_type"] else _counts(status["split"]),
                _price(status["price"]),
            )
        return table

    @property
    def first(self) -> dict[str, Any]:
        """The status before anything was done."""
        return self.rows[0][1]

    @property
    def last(self) -> dict[str, Any]:
        """The newest status."""
        return self.rows[-1][1]

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "migrate", *arguments]


def travel(tour: Tour, *, context: Path, builder: str) -> None:
    """Plan, apply all stages, be refused once for a real defect, and go back to the original."""
    from migrate.sandbox.demo.build import break_arm64_binary, hide_amd64_binary, repair_arm64_binary

    tour.say("1. Look at the live service, and write down what is to be done.")
    tour.run("init", "--cluster", "demo", "--service", "app", "--context", str(context), "--builder", builder)
    tour.shorten_gate()
    tour.look("before")
    tour.run("plan")
    tour.say("2. Stage 0: record the way back, adopt the service unchanged, move it to the FARGATE provider.")
    tour.run("apply", "--stage", "0", "--yes")
    tour.look("stage 0")
    tour.say("3. Stage 1 with a defect: the Dockerfile copies an x86-64 binary. That shows before anything is built.")
    break_arm64_binary(context)
    tour.run("apply", "--stage", "1", "--yes", expect=3)
    repair_arm64_binary(context)
    tour.say("   The same defect, packed into an archive: only the built image shows it. It must not get near the tag.")
    hide_amd64_binary(context)
    tour.run("apply", "--stage", "1", "--yes", expect=4)
    tour.look("stage 1 refused")
    repair_arm64_binary(context)
    tour.say("4. Stage 1: the same tag becomes a multi-platform index; amd64 stays bit for bit.")
    tour.run("apply", "--stage", "1", "--yes")
    tour.look("stage 1")
    tour.say("5. Stage 2: the tasks move to ARM64.")
    tour.run("apply", "--stage", "2", "--yes")
    tour.look("stage 2")
    tour.say("6. Stage 3: one task stays on demand, the others move to Spot, a part of them first.")
    tour.run("apply", "--stage", "3", "--yes")
    tour.look("stage 3")
    tour.say("7. A stage that is done changes nothing.")
    tour.run("apply", "--stage", "3", "--yes")
    tour.say("8. And all the way back: tag bytes, revision and launch type.")
    tour.run("rollback", "--to", "original", "--yes")
    tour.look("original")


def conclude(tour: Tour) -> None:
    """Show the table, and say whether the way back led to where the tour began. Raises ToolFaultError if not."""
    tour.console.print()
    tour.console.print(tour.table())
    kept = ("digest", "media_type", "platforms", "revision", "launch_type", "architectures")
    moved = [name for name in kept if tour.first[name] != tour.last[name]]
    if moved:
        raise ToolFaultError(
            f"After the rollback these differ from before: {', '.join(moved)}.",
            then=f"The files of the tour are in {tour.directory}.",
        )
    tour.console.print("The tag's digest, the revision and the launch type are what they were before.")


def console() -> Console:
    """Return a console as wide as the terminal, at least what the table needs."""
    width = None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "120"))
    return Console(width=width, highlight=False)


def _kind(media_type: str) -> str:
    kind = "index" if "index" in media_type or "list" in media_type else "manifest"
    return f"{'OCI' if 'oci' in media_type else 'Docker'}\n{kind}"


def _counts(counts: dict[str, int]) -> str:
    return "\n".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _price(price: dict[str, Any]) -> str:
    if "low" not in price:
        return "unknown"
    return price["low"] if price["low"] == price["high"] else f"{price['low']} to {price['high']}"
