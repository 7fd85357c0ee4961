"""Fixtures of the contract suites that need the sandbox's processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.sandbox.toolchain.parts import ensure_ministack
from migrate.sandbox.toolchain.progress import Progress
from tests.fakes.front_account import Account
from tests.fakes.front_hosts import FrontHost, InProcess, WholeProcess, whole_process
from tests.fakes.plugin_client import PluginClient, plugin


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
            endpoints=json.dumps([dict.fromkeys(("ecs", "ecr", "sts"), live_front.url)]),
            defaultTags=json.dumps({"tags": {"owner": "web"}}),
        )
        yield client
