from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from migrate.adapters.pulumi.credentials import docker_configuration, with_login
from migrate.adapters.pulumi.locks import StartedProcesses

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
AUTH = {"auth": base64.b64encode(b"AWS:token").decode()}


def test_the_registry_gets_its_login_and_all_others_keep_theirs() -> None:
    configuration = with_login({"auths": {"ghcr.io": {"auth": "x"}}, "proxies": {}}, ECR, "AWS", "token")
    assert configuration["auths"] == {"ghcr.io": {"auth": "x"}, ECR: AUTH}
    assert configuration["proxies"] == {}


def test_a_helper_of_the_registry_gives_way() -> None:
    configuration = with_login({"credHelpers": {ECR: "ecr-login", "gcr.io": "gcloud"}}, ECR, "AWS", "token")
    assert configuration["credHelpers"] == {"gcr.io": "gcloud"}


def test_a_general_store_would_hide_the_login_and_becomes_the_helper_of_what_it_served() -> None:
    configuration = with_login({"credsStore": "osxkeychain", "auths": {"ghcr.io": {}, ECR: {}}}, ECR, "AWS", "token")
    assert "credsStore" not in configuration
    assert configuration["credHelpers"] == {"ghcr.io": "osxkeychain"}
    assert configuration["auths"][ECR] == AUTH


def test_the_configuration_is_the_owners_alone_and_gone_afterwards(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path)}
    with docker_configuration(ECR, lambda _: ("AWS", "token"), environment, tmp_path / "stack") as login:
        file = Path(login["DOCKER_CONFIG"]) / "config.json"
        assert json.loads(file.read_text())["auths"] == {ECR: AUTH}
        assert file.stat().st_mode & 0o077 == 0
        assert login["BUILDX_CONFIG"] == str(tmp_path / ".docker" / "buildx")
    assert not file.parent.exists()


def test_the_persons_builders_and_contexts_stay(tmp_path: Path) -> None:
    (tmp_path / "contexts").mkdir()
    environment = {"DOCKER_CONFIG": str(tmp_path), "BUILDX_CONFIG": "/builders"}
    with docker_configuration(ECR, lambda _: ("AWS", "token"), environment, tmp_path / "stack") as login:
        assert (Path(login["DOCKER_CONFIG"]) / "contexts").resolve() == tmp_path / "contexts"
        assert login["BUILDX_CONFIG"] == "/builders"


def test_without_a_login_the_persons_own_configuration_is_used(tmp_path: Path) -> None:
    with docker_configuration("ghcr.io", lambda _: None, {}, tmp_path) as login:
        assert login == {}


def test_without_a_registry_nobody_is_asked(tmp_path: Path) -> None:
    def refuse(_: str) -> tuple[str, str]:
        raise AssertionError

    with docker_configuration("", refuse, {}, tmp_path) as login:
        assert login == {}


def test_what_a_killed_process_leaves_is_taken_away_by_the_next_operation(tmp_path: Path) -> None:
    left = _left_by_a_killed_process(tmp_path)
    assert base64.b64encode(b"AWS:token").decode() in (left / "config.json").read_text()
    assert left.stat().st_mode & 0o077 == 0
    _operate(tmp_path)
    assert not left.exists()


def test_a_login_stays_while_its_process_lives(tmp_path: Path) -> None:
    with docker_configuration(ECR, lambda _: ("AWS", "token"), {}, tmp_path) as login:
        _operate(tmp_path)
        assert Path(login["DOCKER_CONFIG"]).is_dir()


def test_a_login_stays_while_a_pulumi_that_outlived_its_process_may_push_with_it(tmp_path: Path) -> None:
    left = _left_by_a_killed_process(tmp_path)
    started = StartedProcesses()
    started.remember(tmp_path, os.getpid())
    _operate(tmp_path)
    assert left.is_dir()
    started.forget(tmp_path, os.getpid())
    _operate(tmp_path)
    assert not left.exists()


@pytest.mark.parametrize("owner", ['{"machine": "another"}', '{"process": 1}', "{", "[]"])
def test_what_is_not_provably_left_behind_stays_until_its_token_is_worth_nothing(tmp_path: Path, owner: str) -> None:
    folder = tmp_path / ".login-old"
    folder.mkdir()
    (folder / ".owner.json").write_text(owner)
    _operate(tmp_path)
    assert folder.is_dir()
    half_a_day_ago = time.time() - 12 * 3600 - 1
    os.utime(folder, (half_a_day_ago, half_a_day_ago))
    _operate(tmp_path)
    assert not folder.exists()


def _operate(directory: Path) -> None:
    with docker_configuration(ECR, lambda _: ("AWS", "other"), {}, directory):
        pass


def _left_by_a_killed_process(directory: Path) -> Path:
    program = f"""
import os, pathlib, signal
from migrate.adapters.pulumi.credentials import docker_configuration
with docker_configuration({ECR!r}, lambda _: ("AWS", "token"), {{}}, pathlib.Path({str(directory)!r})):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", program], check=False)
    assert killed.returncode == -signal.SIGKILL
    return next(directory.glob(".login-*"))
