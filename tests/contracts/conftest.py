"""Fixtures of the contract suites that need the sandbox's processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.sandbox.aws_plugin.configuration import SERVICES
from migrate.sandbox.toolchain.parts import ensure_ministack
from migrate.sandbox.toolchain.progress import Progress
from tests.contracts.stores import HeardStore, Opener, in_database, in_memory
from tests.fakes.front_account import Account
from tests.fakes.front_hosts import FrontHost, InProcess, WholeProcess, whole_process
from tests.fakes.plugin_client import PluginClient, plugin
from tests.fakes.record_store import FakeProcesses
from tests.postgresql import PostgresqlServer


@pytest.fixture(scope="session")
def ministack_python() -> Path:
    """MiniStack's own interpreter, installed when it is not there."""
    return ensure_ministack(Progress())


@pytest.fixture(scope="session")
def live_front(ministack_python: Path) -> Iterator[WholeProcess]:
    """One front process for all suites; each test uses names of its own."""
    with whole_process(ministack_python) as host:
        yield host


@pytest.fixture(params=["in process", "whole"])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """Give an account behind the front: over a fake MiniStack with virtual time, and over the real one."""
    host: FrontHost = InProcess() if request.param == "in process" else request.getfixturevalue("live_front")
    yield Account(host)
    host.http("DELETE", "/_sandbox/faults")


@pytest.fixture
def live_account(live_front: WholeProcess) -> Iterator[Account]:
    """Give an account in the front process."""
    yield Account(live_front)
    live_front.http("DELETE", "/_sandbox/faults")


@pytest.fixture
def provider(live_front: WholeProcess) -> Iterator[PluginClient]:
    """Give the stand-in plugin, configured for the front process."""
    with plugin({}) as client:
        client.configure(
            region="us-east-1",
            accessKey="test",
            secretKey="test",
            endpoints=json.dumps([dict.fromkeys(SERVICES, live_front.url)]),
            defaultTags=json.dumps({"tags": {"owner": "web"}}),
        )
        yield client


@pytest.fixture
def processes() -> FakeProcesses:
    """Give two processes that live."""
    return FakeProcesses(running={4711: "tick 1", 4712: "tick 2"})


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    """Give the URL of an empty database of each kind, and None for a fake that keeps everything in memory."""
    if request.param == "memory":
        return None
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state' / 'migrate.sqlite'}"
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return server.database()


@pytest.fixture
def open_store(state_url: str | None) -> Iterator[Opener]:
    """Give what opens the same store again and again: the fake, or the real one on either kind of database."""
    if state_url is None:
        yield in_memory()
        return
    with in_database(state_url) as opener:
        yield opener


@pytest.fixture
def store(open_store: Opener, processes: FakeProcesses) -> HeardStore:
    """Give one store."""
    return open_store(processes)
