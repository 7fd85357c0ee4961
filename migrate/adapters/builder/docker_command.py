"""What Docker's command line knows of a builder and of its engine, where there is one; every call is bounded.

Source: buildx 0.35, commands/inspect.go (its only format is text); Docker CLI, ``docker info --format``.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from migrate.core.build.facts import BuilderNode
from migrate.core.image.names import Platform

RunCommand: TypeAlias = "Callable[[Sequence[str]], tuple[int, str, str]]"
"""Runs a command; returns exit code, output and what it said on its other channel. Never raises."""

MISSING = 127
_SECONDS = 20.0
_CONTAINERD = "io.containerd.snapshotter"
_FIELD = re.compile(r"^\s*([A-Z][\w /-]*?):[ \t]*(.*)$")


@dataclass(frozen=True, slots=True)
class Inspected:
    """``docker buildx inspect``: driver and nodes; ``problem`` is its own error."""

    driver: str = ""
    nodes: tuple[BuilderNode, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine: which image store it has, and how much space is left where it keeps its files (None: elsewhere)."""

    containerd_store: bool | None = None
    free_bytes: int | None = None
    problem: str = ""


def command_runner(environment: Mapping[str, str]) -> RunCommand:
    """Return what runs commands in an environment, each for 20 seconds at most."""

    def run(arguments: Sequence[str]) -> tuple[int, str, str]:
        program = shutil.which(arguments[0], path=environment.get("PATH"))
        if program is None:
            return MISSING, "", f"{arguments[0]} is not on PATH"
        try:
            done = subprocess.run(
                [program, *arguments[1:]],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return MISSING, "", f"{arguments[0]}: {type(error).__name__}"
        return done.returncode, done.stdout, done.stderr

    return run


def inspect_builder(run: RunCommand, name: str) -> Inspected | None:
    """Ask buildx about a builder; None where there is no buildx."""
    if run(("docker", "buildx", "version"))[0] != 0:
        return None
    code, output, said = run(("docker", "buildx", "inspect", name))
    if code != 0:
        return Inspected(problem=_last(said) or f"docker buildx inspect ended with code {code}")
    return read_inspected(output)


def read_inspected(text: str) -> Inspected:
    """Read the text of ``docker buildx inspect``; a star marks platforms that the settings of a node put first."""
    driver, problem, nodes = "", "", list[dict[str, str]]()
    inside = False
    for line in text.splitlines():
        if line.startswith("Nodes:"):
            inside = True
            continue
        match = _FIELD.match(line)
        if match is None:
            continue
        key, value = match[1], match[2].strip()
        if not inside:
            driver = value if key == "Driver" else driver
            problem = value if key == "Error" else problem
        elif key == "Name":
            nodes.append({"Name": value})
        elif nodes:
            nodes[-1].setdefault(key, value)
    return Inspected(driver, tuple(_node(item) for item in nodes), problem)


def _node(item: Mapping[str, str]) -> BuilderNode:
    names = [name.strip().rstrip("*") for name in item.get("Platforms", "").split(",") if name.strip()]
    platforms = tuple(
        dict.fromkeys(Platform(*name.split("/")[:3]).canonical for name in names if name.count("/") in {1, 2})
    )
    return BuilderNode(
        item["Name"],
        item.get("Endpoint", ""),
        platforms,
        asked=item.get("Status") == "running",
        problem=item.get("Error", ""),
    )


def inspect_engine(run: RunCommand) -> Engine:
    """Ask the current engine for its store and its disk; a problem where it does not answer."""
    code, output, said = run(("docker", "info", "--format", "{{json .}}"))
    if code == MISSING:
        return Engine()
    try:
        value = json.loads(output)
    except ValueError:
        value = None
    if code != 0 or not isinstance(value, dict) or value.get("ServerErrors"):
        return Engine(problem=_last(said) or "docker info did not answer")
    status = value.get("DriverStatus")
    store = [pair for pair in status if isinstance(pair, list)] if isinstance(status, list) else []
    return Engine(any(_CONTAINERD in str(part) for pair in store for part in pair), _free(value))


def _free(value: Mapping[str, object]) -> int | None:
    """Return the free bytes of the engine's directory, if that is on this machine (Docker Desktop's is in a VM)."""
    root = str(value.get("DockerRootDir") or "")
    if not root or "Desktop" in str(value.get("OperatingSystem")) or not Path(root).is_dir():
        return None
    try:
        return shutil.disk_usage(root).free
    except OSError:
        return None


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("ERROR: ") if lines else ""
