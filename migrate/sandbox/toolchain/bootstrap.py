"""The first step on a bare machine: uv, then the clone's own ``.venv`` after uv.lock; nothing but the standard library.

``python3 -m migrate.sandbox.toolchain.bootstrap`` in the clone; the Makefile calls it before everything else.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from migrate.errors import EngineError, ExitCode
from migrate.sandbox.toolchain.cache import cache_directory, exclusive
from migrate.sandbox.toolchain.commands import run
from migrate.sandbox.toolchain.progress import Progress
from migrate.sandbox.toolchain.uv import find_uv

_TIMEOUT_SECONDS = 900.0
_STAMP = ".migrate-lock"


def _wanted(clone: Path) -> str:
    digest = hashlib.sha256((clone / "uv.lock").read_bytes() + (clone / "pyproject.toml").read_bytes())
    return digest.hexdigest()


def install(clone: Path, progress: Progress) -> None:
    """Make ``clone/.venv`` match uv.lock; at once when it does already. Raises EngineError when it cannot."""
    environment = clone / ".venv"
    stamp = environment / _STAMP
    locks = cache_directory() / "environments"
    name = hashlib.sha256(str(clone).encode()).hexdigest()[:12]
    with exclusive(locks / f"{name}.lock", "this clone's virtual environment", progress):
        if stamp.exists() and stamp.read_text() == _wanted(clone):
            return
        uv = find_uv(progress)
        with progress.step("installing the Python dependencies into .venv", usually="30 s"):
            run(
                # Compiled once: a migration starts many processes, and imports are most of their time otherwise.
                [uv, "sync", "--frozen", "--compile-bytecode", "--no-python-downloads", "--python", sys.executable],
                part="The virtual environment",
                log=locks / f"{name}.log",
                timeout=_TIMEOUT_SECONDS,
                cwd=clone,
                # A shell's active environment must not be mistaken for the clone's own.
                environment={"VIRTUAL_ENV": "", "UV_PROJECT_ENVIRONMENT": str(environment)},
            )
        stamp.write_text(_wanted(clone))


def compile_sources(clone: Path) -> None:
    """Compile our own packages as well, also where PYTHONDONTWRITEBYTECODE keeps an import from doing it."""
    python = clone / ".venv" / "bin" / "python"
    subprocess.run(
        [python, "-m", "compileall", "-q", "migrate", "stacks"], cwd=clone, timeout=_TIMEOUT_SECONDS, check=False
    )


def main() -> int:
    """Install for the clone in the current folder; the exit code is the process's."""
    progress = Progress()
    try:
        install(Path.cwd(), progress)
        compile_sources(Path.cwd())
    except EngineError as error:
        progress.say(f"\n{error}\n{error.then}")
        return int(error.exit_code)
    except KeyboardInterrupt:
        progress.say("\nStopped. Start the same command again: it goes on where it stopped.")
        return int(ExitCode.INTERRUPTED)
    return int(ExitCode.DONE)


if __name__ == "__main__":
    sys.exit(main())
