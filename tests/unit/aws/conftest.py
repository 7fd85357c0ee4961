"""A session whose clients answer from recordings: botocore checks both sides against AWS's own service model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.adapters.aws.session import AwsSession, Region
from tests.unit.aws.recordings import REGION, Recordings, made_up_core


@pytest.fixture(autouse=True)
def _no_aws_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_MAX_ATTEMPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def session() -> AwsSession:
    return AwsSession(made_up_core(), Region(REGION, "the test"), sleep=lambda _: None)


@pytest.fixture
def aws(session: AwsSession) -> Iterator[Recordings]:
    recordings = Recordings(session)
    yield recordings
    recordings.assert_all_asked()
