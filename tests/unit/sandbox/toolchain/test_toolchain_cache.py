from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from migrate.errors import EngineError
from migrate.sandbox.toolchain.cache import CacheEntry, cache_directory, provide, recipe_hash
from migrate.sandbox.toolchain.progress import Progress

QUIET = Progress(quiet=True)
ENTRY = CacheEntry("tool", "1.0", "abc", "bin/tool")

# Makes the entry as another process would: says so, waits for a line on standard input, then finishes.
_OTHER = """
import sys
from pathlib import Path
from migrate.sandbox.toolchain.cache import CacheEntry, provide
from migrate.sandbox.toolchain.progress import Progress

def make(target):
    (target / "bin").mkdir()
    (target / "bin" / "half").write_text("half")
    print("making", flush=True)
    sys.stdin.readline()
    (target / "bin" / "tool").write_text("other")

provide(CacheEntry("tool", "1.0", "abc", "bin/tool"), make, Progress())
print("done", flush=True)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIGRATE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _make(text: str = "made") -> object:
    def make(target: Path) -> None:
        (target / "bin").mkdir()
        (target / "bin" / "tool").write_text(text)

    return make


def _other() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process


def _half_made(cache: Path) -> list[Path]:
    return [path for path in (cache / "tool").iterdir() if path.is_dir() and path.name.startswith(".")]


def test_an_entry_is_made_once_and_then_only_found(cache: Path) -> None:
    first = provide(ENTRY, _make("first"), QUIET)  # type: ignore[arg-type]
    second = provide(ENTRY, _make("second"), QUIET)  # type: ignore[arg-type]

    assert first == second == cache / "tool" / "1.0-abc"
    assert (second / "bin" / "tool").read_text() == "first"


def test_a_failed_making_leaves_nothing_and_the_next_one_succeeds(cache: Path) -> None:
    def fail(target: Path) -> None:
        (target / "half").write_text("half")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        provide(ENTRY, fail, QUIET)
    assert not ENTRY.ready
    assert not _half_made(cache)

    provide(ENTRY, _make(), QUIET)  # type: ignore[arg-type]
    assert ENTRY.ready


def test_what_a_killed_process_left_half_made_is_swept_by_the_next_start(cache: Path) -> None:
    with _other() as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "making\n"
        assert len(_half_made(cache)) == 1
        other.send_signal(signal.SIGKILL)
    assert len(_half_made(cache)) == 1, "a killed process cannot have swept"

    made = provide(ENTRY, _make("next"), QUIET)  # type: ignore[arg-type]

    assert not _half_made(cache)
    assert (made / "bin" / "tool").read_text() == "next"
    assert not (made / "bin" / "half").exists()


def test_two_at_once_the_second_says_that_it_waits_and_takes_what_the_first_made() -> None:
    with _other() as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "making\n"
        with _other() as second:
            assert second.stderr is not None
            assert second.stdout is not None
            assert "waiting for another set-up that is at work on tool 1.0" in second.stderr.readline()
            first.communicate("go on\n", timeout=30)
            said, _ = second.communicate(timeout=30)

    assert first.returncode == second.returncode == 0
    assert "making" not in said
    assert (ENTRY.path / "bin" / "tool").read_text() == "other"


def test_an_entry_that_lost_its_program_is_made_again() -> None:
    (provide(ENTRY, _make("old"), QUIET) / "bin" / "tool").unlink()  # type: ignore[arg-type]

    assert (provide(ENTRY, _make("new"), QUIET) / "bin" / "tool").read_text() == "new"  # type: ignore[arg-type]


def test_a_cache_folder_that_cannot_be_made_is_named_with_the_way_out(cache: Path) -> None:
    cache.write_text("a file stands in the way")

    with pytest.raises(EngineError) as refused:
        provide(ENTRY, _make(), QUIET)  # type: ignore[arg-type]

    assert str(cache) in refused.value.what
    assert "MIGRATE_CACHE_DIR" in refused.value.then


def test_the_cache_is_outside_the_clone_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_directory() == Path(os.environ["MIGRATE_CACHE_DIR"])
    monkeypatch.delenv("MIGRATE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_directory() == tmp_path / "xdg" / "migrate"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_directory() == tmp_path / "home" / ".cache" / "migrate"


def test_a_recipe_is_another_one_when_a_file_or_a_setting_changes(tmp_path: Path) -> None:
    file = tmp_path / "go.mod"
    file.write_text("module one\n")
    one = recipe_hash([file], "-s")
    assert recipe_hash([file], "-s") == one
    assert recipe_hash([file], "-w") != one
    file.write_text("module two\n")
    assert recipe_hash([file], "-s") != one


def test_a_long_part_shows_that_it_is_alive_and_how_long_it_took() -> None:
    stream = io.StringIO()
    progress = Progress(stream=stream, tick_seconds=0.01)

    with progress.step("building it", usually="4 min"):
        while "still" not in stream.getvalue():
            pass

    lines = stream.getvalue().splitlines()
    assert lines[0] == "building it (usually 4 min) ..."
    assert lines[1] == "  still building it (0 s so far)"
    assert lines[-1] == "building it: done in 0 s"


def test_a_part_that_fails_says_so() -> None:
    stream = io.StringIO()

    with pytest.raises(ValueError, match="no"), Progress(stream=stream).step("building it"):
        raise ValueError("no")

    assert stream.getvalue().splitlines()[-1] == "building it: stopped after 0 s"
