"""Fixtures of the contract suites that need the sandbox's processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.sandbox.toolchain.parts import ensure_ministack
from migrate.sandbox.toolchain.progress import Progress
from tests.fakes.front_hosts import WholeProcess, whole_process


@pytest.fixture(scope="session")
def ministack_python() -> Path:
    """MiniStack's own interpreter, installed when it is not there."""
    return ensure_ministack(Progress())


@pytest.fixture(scope="session")
def live_front(ministack_python: Path) -> Iterator[WholeProcess]:
    """One front process for all suites; each test uses names of its own."""
    with whole_process(ministack_python) as host:
        yield host
