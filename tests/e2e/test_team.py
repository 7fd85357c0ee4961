"""Two people on two machines, as far as the tool can tell: one PostgreSQL, one bucket, one passphrase, nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from migrate.adapters.pulumi.deployer import PulumiDeployer
from migrate.adapters.pulumi.workspace import StackAddress
from migrate.errors import ExitCode, LockedError
from tests.e2e.conftest import COMMAND_SECONDS, Operator
from tests.postgresql import PostgresqlServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

BUCKET = "migrate-state"


@dataclass(frozen=True, slots=True)
class Teammate(Operator):
    """An operator whose state is on a server and in a bucket."""

    database: str = ""
    passphrase: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The sandbox's environment, with the team's places in it."""
        alone = self.sandbox.environment()
        del alone["PULUMI_CONFIG_PASSPHRASE"]
        told = {} if self.passphrase is None else {"PULUMI_CONFIG_PASSPHRASE_FILE": str(self.passphrase)}
        places = {"MIGRATE_DATABASE_URL": self.database, "PULUMI_BACKEND_URL": f"s3://{BUCKET}?use_path_style=true"}
        return {**alone, **told, **places}

    def locks(self) -> list[dict[str, Any]]:
        """Return the locks in the bucket (pulumi 3.274, backend/diy/lock.go)."""
        return self._kept(".pulumi/locks/", ".json")

    def refreshes(self) -> int:
        """Return how often any stack was refreshed, by the bucket's history (pulumi 3.274, backend/diy/state.go)."""
        return sum(item["kind"] == "refresh" for item in self._kept(".pulumi/history/", ".history.json"))

    def _kept(self, prefix: str, ending: str) -> list[dict[str, Any]]:
        s3, kept = self.aws("s3"), []
        for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", []):
            # What is gone between the list and the read, a lock for one, is not kept.
            with suppress(s3.exceptions.NoSuchKey):
                if item["Key"].endswith(ending):
                    kept.append(json.loads(s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()))
        return kept


@pytest.fixture
def ada(operator: Operator, postgresql: PostgresqlServer) -> Teammate:
    operator.aws("s3").create_bucket(Bucket=BUCKET)
    passphrase = operator.directory / "passphrase"
    passphrase.write_text("correct horse battery staple", encoding="utf-8")
    operator.init()
    return Teammate(
        operator.directory, operator.sandbox, operator.seeded, database=postgresql.database(), passphrase=passphrase
    )


@pytest.fixture
def grace(ada: Teammate, tmp_path: Path) -> Teammate:
    shutil.copy(ada.directory / "migrate.toml", tmp_path)
    return replace(ada, directory=tmp_path)


def test_c41_a_team_shares_its_state_and_never_steps_on_each_other(ada: Teammate, grace: Teammate) -> None:
    _without_the_passphrase_nothing_begins(grace)
    process, lock = _stopped_while_pulumi_holds_the_stack(ada)
    _another_working_directory_is_told_who_holds_it(grace, lock)
    _a_second_run_is_told_who_holds_the_service(grace, process.pid)
    process.kill()
    process.communicate(timeout=COMMAND_SECONDS)
    os.kill(lock["pid"], signal.SIGKILL)
    _another_working_directory_is_told_who_holds_it(grace, lock)
    again = ada.done("apply", "--stage", "0", "--yes")
    assert "removed a lock whose process is gone" in again.stderr
    assert ada.locks() == []
    _the_other_one_goes_on(grace)
    assert not (grace.directory / ".migrate" / "migrate.sqlite").exists()
    assert not (grace.directory / ".migrate" / "pulumi" / "state").exists()


def _without_the_passphrase_nothing_begins(grace: Teammate) -> None:
    refused = replace(grace, passphrase=None).run("apply", "--stage", "0", "--yes")
    assert refused.code == ExitCode.BLOCKED, refused.said
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" in refused.said


def _stopped_while_pulumi_holds_the_stack(ada: Teammate) -> tuple[Any, dict[str, Any]]:
    process = ada.start("apply", "--stage", "0", "--yes")
    deadline = time.monotonic() + COMMAND_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        for lock in ada.locks():
            with suppress(ProcessLookupError):
                os.kill(lock["pid"], signal.SIGSTOP)
            if ada.locks() == [lock]:
                return process, lock
            # It had just given the lock back: the next operation takes another one.
            with suppress(ProcessLookupError):
                os.kill(lock["pid"], signal.SIGCONT)
    raise AssertionError(process.communicate())


def _another_working_directory_is_told_who_holds_it(grace: Teammate, lock: dict[str, Any]) -> None:
    seeded, environment = grace.seeded, grace.environment
    account = grace.service()["serviceArn"].split(":")[4]
    deployer = PulumiDeployer(
        StackAddress(account, environment["AWS_REGION"], seeded.cluster, seeded.service),
        grace.directory / ".migrate",
        environment,
        credentials=lambda _: None,
        patience=timedelta(0),
    )
    with pytest.raises(LockedError) as refused:
        deployer.refresh()
    assert refused.value.exit_code == ExitCode.LOCKED
    assert f"{lock['username']}@{lock['hostname']} (pid {lock['pid']})" in refused.value.why
    assert grace.locks() == [lock]


def _a_second_run_is_told_who_holds_the_service(grace: Teammate, process: int) -> None:
    refused = grace.run("apply", "--stage", "0", "--yes")
    assert refused.code == ExitCode.LOCKED, refused.said
    assert f"process {process}" in refused.said
    assert "last heard of" in refused.said


def _the_other_one_goes_on(grace: Teammate) -> None:
    assert grace.status()["position"]["proven"] == 0
    refreshes = grace.refreshes()
    grace.done("rollback", "--to", "original", "--yes")
    assert grace.refreshes() > refreshes, "the stack that the other directory made was read before the way back"
    assert grace.service()["launchType"] == "FARGATE"
