"""The whole set-up as its own process, with programs on PATH that stand for Go and uv."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

_UV = """#!/bin/sh
if [ "$1" = --version ]; then echo uv 0.13.9; exit; fi
[ "$1" = venv ] || exit 0
for last; do :; done
mkdir -p "$last/bin" && touch "$last/bin/python"
"""
_GO = """#!/bin/sh
if [ "$1" = env ]; then echo go1.27.3; exit; fi
[ -e {folder}/hang ] && {{ touch {folder}/hanging; exec sleep 300; }}
[ -e {folder}/broken ] && {{ echo "pkg/x.go:1: undefined: y"; exit 1; }}
while [ "$1" != -o ]; do shift; done
echo built > "$2"; chmod +x "$2"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in (("uv", _UV), ("go", _GO.format(folder=tmp_path))):
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    return tmp_path


def _start(folder: Path) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "PATH": f"{folder / 'programs'}:/usr/bin:/bin",
        "MIGRATE_CACHE_DIR": str(folder / "cache"),
        "PULUMI_HOME": str(folder / "pulumi"),
        # Whatever Docker engine there is, this is about building.
        "DOCKER_HOST": "unix:///nonexistent.sock",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "migrate.sandbox.toolchain"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@retry(retry=retry_if_result(lambda there: not there), stop=stop_after_delay(60), wait=wait_fixed(0.02))
def _begun(process: subprocess.Popen[str], mark: Path) -> bool:
    assert process.poll() is None
    return mark.exists()


@pytest.fixture
def hanging(folder: Path) -> Iterator[subprocess.Popen[str]]:
    (folder / "hang").touch()
    with _start(folder) as process:
        _begun(process, folder / "hanging")
        yield process
        process.kill()
    (folder / "hang").unlink()


def _half_made(folder: Path) -> list[Path]:
    return list((folder / "cache").glob("*/.half-made-*"))


def test_every_part_is_made_ready_and_its_path_printed(folder: Path) -> None:
    with _start(folder) as process:
        printed, told = process.communicate(timeout=60)

    assert process.returncode == 0, told
    paths = dict(line.split(maxsplit=1) for line in printed.splitlines())
    assert all(Path(paths[name]).exists() for name in ("pulumi", "docker-build", "buildkitd", "ministack", "go"))
    assert "building the Pulumi CLI 3.274.1 (usually 4 min) ..." in told

    with _start(folder) as again:
        printed_again, told_again = again.communicate(timeout=60)
    assert printed_again == printed
    assert told_again == "", "what is there needs no word"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stopped_in_the_middle_it_leaves_nothing_half_made_and_goes_on_next_time(
    folder: Path, hanging: subprocess.Popen[str], how: signal.Signals
) -> None:
    compilers = psutil.Process(hanging.pid).children(recursive=True)
    assert compilers

    hanging.send_signal(how)
    _, told = hanging.communicate(timeout=30)

    assert hanging.returncode == 130
    assert "it goes on where it stopped" in told
    assert not _half_made(folder)
    _, still_there = psutil.wait_procs(compilers, timeout=60)
    assert not still_there


def test_killed_in_the_middle_the_next_start_finishes(folder: Path, hanging: subprocess.Popen[str]) -> None:
    compilers = psutil.Process(hanging.pid).children(recursive=True)
    hanging.kill()
    hanging.wait(30)
    for compiler in compilers:
        compiler.kill()
    (folder / "hang").unlink()

    with _start(folder) as process:
        _, told = process.communicate(timeout=60)

    assert process.returncode == 0, told
    assert not _half_made(folder)
    (folder / "hang").touch()


def test_a_part_that_cannot_be_built_is_named_with_what_its_compiler_said(folder: Path) -> None:
    (folder / "broken").touch()

    with _start(folder) as process:
        _, told = process.communicate(timeout=60)

    assert process.returncode == 3
    assert "The Pulumi CLI 3.274.1 could not be made ready." in told
    assert "undefined: y" in told
    assert "Traceback" not in told
    assert not _half_made(folder)
