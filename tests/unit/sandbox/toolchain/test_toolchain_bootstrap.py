from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from migrate.errors import EngineError
from migrate.sandbox.toolchain.bootstrap import install
from migrate.sandbox.toolchain.progress import Progress

QUIET = Progress(quiet=True)
REPOSITORY = Path(__file__).parents[4]
_UV = """#!/bin/sh
if [ "$1" = --version ]; then echo uv 0.13.9; exit; fi
echo "$@" >> calls
[ -e broken ] && { echo "error: no such package"; exit 2; }
mkdir -p "$UV_PROJECT_ENVIRONMENT"
"""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "uv").write_text(_UV)
    (programs / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("MIGRATE_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "uv.lock").write_text("one")
    (folder / "pyproject.toml").write_text("one")
    return folder


def _calls(clone: Path) -> list[str]:
    return (clone / "calls").read_text().splitlines()


def test_the_environment_is_installed_from_the_lock_file_once(clone: Path) -> None:
    install(clone, QUIET)
    install(clone, QUIET)

    assert len(_calls(clone)) == 1
    assert _calls(clone)[0].startswith("sync --frozen")
    assert sys.executable in _calls(clone)[0]


def test_a_changed_lock_file_is_installed_again(clone: Path) -> None:
    install(clone, QUIET)
    (clone / "uv.lock").write_text("two")
    install(clone, QUIET)

    assert len(_calls(clone)) == 2


def test_a_failed_installation_is_tried_again(clone: Path) -> None:
    (clone / "broken").touch()
    with pytest.raises(EngineError, match="no such package"):
        install(clone, QUIET)

    (clone / "broken").unlink()
    install(clone, QUIET)

    assert len(_calls(clone)) == 2


def test_the_first_step_needs_nothing_but_the_standard_library() -> None:
    """Run with -S: no site-packages at all."""
    code = "import migrate.sandbox.toolchain.bootstrap, sys; print([n for n in sys.modules if 'tenacity' in n])"

    told = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60
    )

    assert told.returncode == 0, told.stderr
    assert told.stdout == "[]\n"
