"""The folder outside the clone where built tools are kept, safe against two set-ups at once and against being killed.

An entry is a folder that appears by one rename, complete or not at all. Whoever makes it holds an operating-system
lock, which ends with its process however that ends; what a killed process left half made is swept by the next one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from migrate.sandbox.toolchain.progress import Progress

_HALF_MADE = ".half-made-"


def cache_directory() -> Path:
    """Return the folder for built tools: MIGRATE_CACHE_DIR, else ``migrate`` under XDG_CACHE_HOME or ``~/.cache``."""
    chosen = os.environ.get("MIGRATE_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "migrate"


def recipe_hash(files: Iterable[Path], *texts: str) -> str:
    """Twelve hexadecimal digits that change when any of the recipe's files or settings does."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One tool of one version and recipe; ``proof`` is the file in it that must exist for the entry to count."""

    tool: str
    version: str
    recipe: str
    proof: str

    @property
    def path(self) -> Path:
        """Where the finished entry stands, finished or not."""
        return cache_directory() / self.tool / f"{self.version}-{self.recipe}"

    @property
    def ready(self) -> bool:
        """Whether the entry was made completely before."""
        return (self.path / self.proof).exists()

    @property
    def log(self) -> Path:
        """Where the output of the commands that make the entry is kept."""
        return self.path.with_name(f"{self.path.name}.log")


def provide(entry: CacheEntry, make: Callable[[Path], None], progress: Progress) -> Path:
    """Return the finished entry's folder, calling ``make`` with an empty folder when it is not there yet.

    Raises EngineError when the cache folder cannot be written.
    """
    if entry.ready:
        return entry.path
    try:
        entry.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(
            f"The folder for built tools, {entry.path.parent}, cannot be made.",
            why=f"The system says: {error.strerror}.",
            then="Make it writable, or set MIGRATE_CACHE_DIR to a folder that is.",
        ) from error
    with exclusive(entry.path.with_name(f"{entry.path.name}.lock"), f"{entry.tool} {entry.version}", progress):
        if not entry.ready:
            _make(entry, make)
    return entry.path


def _make(entry: CacheEntry, make: Callable[[Path], None]) -> None:
    for left in entry.path.parent.glob(f"{_HALF_MADE}{entry.path.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    # An entry without its proof was damaged from outside; a rename could not replace it.
    shutil.rmtree(entry.path, ignore_errors=True)
    half_made = Path(tempfile.mkdtemp(prefix=f"{_HALF_MADE}{entry.path.name}-", dir=entry.path.parent))
    try:
        half_made.chmod(0o755)
        make(half_made)
        half_made.rename(entry.path)
    except BaseException:
        shutil.rmtree(half_made, ignore_errors=True)
        raise


@contextmanager
def exclusive(lock_file: Path, what: str, progress: Progress) -> Iterator[None]:
    """Hold ``lock_file`` for the block; when another process holds it, say so and wait until that one is done."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with progress.step(f"waiting for another set-up that is at work on {what}"):
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
