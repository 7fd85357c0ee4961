from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path

import pytest

from migrate.adapters.registry.credentials import (
    IDENTITY_TOKEN_USER,
    docker_credentials,
    first_of,
    no_credentials,
)
from migrate.errors import AccessError, SettingsError

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def configured(directory: Path, **settings: object) -> Path:
    (directory / "config.json").write_text(json.dumps(settings))
    return directory


def encoded(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_stored_logins_are_found_by_host_and_docker_hub_by_its_old_key(tmp_path: Path) -> None:
    directory = configured(
        tmp_path, auths={"ghcr.io": encoded("me", "a:b"), "https://index.docker.io/v1/": encoded("hub", "c")}
    )
    ask = docker_credentials(directory)
    assert ask("ghcr.io") == ("me", "a:b")
    assert ask("docker.io") == ("hub", "c")
    assert ask("quay.io") is None


def test_an_identity_token_stands_for_the_password(tmp_path: Path) -> None:
    ask = docker_credentials(configured(tmp_path, auths={"r.example": {"identitytoken": "t"}}))
    assert ask("r.example") == (IDENTITY_TOKEN_USER, "t")


def test_a_helper_of_the_host_goes_before_the_store(tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []

    def run(name: str, server: str) -> tuple[int, str]:
        asked.append((name, server))
        return 0, json.dumps({"ServerURL": server, "Username": "AWS", "Secret": "s"})

    ask = docker_credentials(configured(tmp_path, credHelpers={ECR: "ecr-login"}, credsStore="desktop"), run)
    assert ask(ECR) == ("AWS", "s")
    assert ask("ghcr.io") == ("AWS", "s")
    assert asked == [("ecr-login", ECR), ("desktop", "ghcr.io")]


def test_a_helper_that_knows_nothing_is_no_error(tmp_path: Path) -> None:
    ask = docker_credentials(
        configured(tmp_path, credsStore="desktop"), lambda *_: (1, "credentials not found in native keychain")
    )
    assert ask("ghcr.io") is None


@pytest.mark.parametrize("answer", [(1, "panic"), (0, "no JSON s3cret"), (0, '{"Username":"me"}')])
def test_a_helper_that_fails_is_named_and_its_answer_is_not_shown(tmp_path: Path, answer: tuple[int, str]) -> None:
    ask = docker_credentials(configured(tmp_path, credsStore="desktop"), lambda *_: answer)
    with pytest.raises(AccessError, match="docker-credential-desktop") as failed:
        ask("ghcr.io")
    assert "s3cret" not in f"{failed.value} {failed.value.__cause__}"


def test_a_helper_is_run_with_the_server_on_its_input(tmp_path: Path) -> None:
    # A name of its own, on a PATH that holds it already: the test changes no environment of this process.
    first = next(Path(part) for part in os.environ["PATH"].split(":") if os.access(part, os.W_OK))
    helper = first / f"docker-credential-{tmp_path.name}"
    helper.write_text('#!/bin/sh\nread server\nprintf \'{"Username":"%s","Secret":"s"}\' "$1-$server"\n')
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
    try:
        assert docker_credentials(configured(tmp_path, credsStore=tmp_path.name))("ghcr.io") == ("get-ghcr.io", "s")
    finally:
        helper.unlink()


def test_a_helper_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="docker-credential-not-there-at-all"):
        docker_credentials(configured(tmp_path, credsStore="not-there-at-all"))("ghcr.io")


def test_a_helper_outside_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not the name"):
        docker_credentials(configured(tmp_path, credsStore="../../bin/sh"))("ghcr.io")


def test_no_configuration_is_no_error_and_a_broken_one_is(tmp_path: Path) -> None:
    assert docker_credentials(tmp_path)("ghcr.io") is None
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(SettingsError, match="cannot be read"):
        docker_credentials(tmp_path)("ghcr.io")


@pytest.mark.parametrize("auths", [[], {"ghcr.io": 1}, {"ghcr.io": {"auth": "%"}}, {"ghcr.io": {"auth": ""}}])
def test_odd_entries_are_passed_by(tmp_path: Path, auths: object) -> None:
    assert docker_credentials(configured(tmp_path, auths=auths))("ghcr.io") is None


def test_the_first_source_that_knows_wins() -> None:
    ask = first_of(no_credentials, lambda _: ("one", "1"), lambda _: ("two", "2"))
    assert ask("ghcr.io") == ("one", "1")
