from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


Helper = Callable[[str, str], None]


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Helper:
    """Give a way to put a credential helper on PATH, as a real program."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")

    def make(name: str, script: str) -> None:
        path = programs / f"docker-credential-{name}"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return make


def test_a_helper_is_run_with_the_server_on_its_input(tmp_path: Path, helper: Helper) -> None:
    helper("store", 'read server\nprintf \'{"Username":"%s","Secret":"s"}\' "$*-$server"')
    ask = docker_credentials(configured(tmp_path, credsStore="store"))
    assert ask("ghcr.io") == ("get-ghcr.io", "s")
    assert ask("docker.io") == ("get-https://index.docker.io/v1/", "s")


def test_a_helper_gives_a_refresh_token_by_a_user_of_its_own(tmp_path: Path, helper: Helper) -> None:
    helper("acr", 'printf \'{"ServerURL":"r","Username":"<token>","Secret":"refresh"}\'')
    ask = docker_credentials(configured(tmp_path, credHelpers={"team.azurecr.io": "acr"}))
    assert ask("team.azurecr.io") == (IDENTITY_TOKEN_USER, "refresh")
    assert ask("ghcr.io") is None


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("echo credentials not found in native keychain; exit 1", ""),
        ("echo no credentials server URL; exit 1", ""),
        ("echo s3cret >&2; exit 1", "ended with code 1"),
        ("echo s3cret; exit 0", "not what the protocol asks for"),
        ("kill -9 $$", "ended with code -9"),
    ],
)
def test_what_a_helper_says_instead_is_known_for_what_it_is(
    tmp_path: Path, helper: Helper, script: str, error: str
) -> None:
    helper("odd", script)
    ask = docker_credentials(configured(tmp_path, credsStore="odd"))
    if not error:
        assert ask("ghcr.io") is None
        return
    with pytest.raises(AccessError, match="docker-credential-odd") as failed:
        ask("ghcr.io")
    assert error in failed.value.why
    assert "s3cret" not in f"{failed.value} {failed.value.__cause__}"


def test_a_helper_that_writes_much_is_heard_to_its_end(tmp_path: Path, helper: Helper) -> None:
    helper("loud", 'head -c 300000 /dev/zero >&2; printf \'{"Username":"me","Secret":"s"}\'')
    assert docker_credentials(configured(tmp_path, credsStore="loud"))("ghcr.io") == ("me", "s")


def test_a_program_that_cannot_run_is_named(tmp_path: Path, helper: Helper) -> None:
    helper("broken", "")
    (tmp_path / "programs/docker-credential-broken").write_bytes(b"\x7fELF")
    with pytest.raises(AccessError, match="docker-credential-broken"):
        docker_credentials(configured(tmp_path, credsStore="broken"))("ghcr.io")


@pytest.mark.parametrize(
    ("key", "registry"),
    [
        ("https://ghcr.io", "ghcr.io"),
        ("https://ghcr.io/v2/", "ghcr.io"),
        ("ghcr.io/team", "ghcr.io"),
        ("http://localhost:5000", "localhost:5000"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "docker.io"),
        ("registry-1.docker.io", None),
        ("ghcr.io.example", None),
        ("ghcr.io:443", None),
    ],
)
def test_keys_of_a_login_may_have_a_scheme_and_a_path(tmp_path: Path, key: str, registry: str | None) -> None:
    ask = docker_credentials(configured(tmp_path, auths={key: encoded("me", "s")}))
    for asked in ("ghcr.io", "docker.io", "localhost:5000"):
        assert ask(asked) == (("me", "s") if asked == registry else None)


def test_the_key_that_is_the_host_itself_goes_before_others(tmp_path: Path) -> None:
    auths = {"https://ghcr.io/old": encoded("old", "o"), "ghcr.io": encoded("new", "n")}
    assert docker_credentials(configured(tmp_path, auths=auths))("ghcr.io") == ("new", "n")


def test_a_login_may_stand_in_plain_words_or_in_the_store_alone(tmp_path: Path, helper: Helper) -> None:
    helper("store", 'printf \'{"Username":"stored","Secret":"s"}\'')
    auths = {"ghcr.io": {}, "quay.io": {"username": "me", "password": "p"}}
    ask = docker_credentials(configured(tmp_path, auths=auths, credsStore="store"))
    assert ask("ghcr.io") == ("stored", "s")
    assert ask("quay.io") == ("me", "p")


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


def test_a_configuration_without_end_is_broken(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("[" * 100_000)
    with pytest.raises(SettingsError, match="cannot be read"):
        docker_credentials(tmp_path)("ghcr.io")


@pytest.mark.parametrize("auths", [[], {"ghcr.io": 1}, {"ghcr.io": {"auth": "%"}}, {"ghcr.io": {"auth": ""}}])
def test_odd_entries_are_passed_by(tmp_path: Path, auths: object) -> None:
    assert docker_credentials(configured(tmp_path, auths=auths))("ghcr.io") is None


def test_the_first_source_that_knows_wins() -> None:
    ask = first_of(no_credentials, lambda _: ("one", "1"), lambda _: ("two", "2"))
    assert ask("ghcr.io") == ("one", "1")


def test_a_source_that_fails_is_passed_by_and_told_where_no_other_knows() -> None:
    def broken(_: str) -> tuple[str, str] | None:
        raise AccessError("The token may not be had.", then="Allow it.")

    assert first_of(broken, lambda _: ("two", "2"))("ghcr.io") == ("two", "2")
    with pytest.raises(AccessError, match="may not be had"):
        first_of(broken, no_credentials)("ghcr.io")


KEYS = st.sampled_from(["ghcr.io", "auth", "username"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=6,
)
SECTIONS = st.dictionaries(st.sampled_from(["auths", "credHelpers"]), VALUES)


@settings(deadline=None)
@given(SECTIONS | VALUES)
def test_no_configuration_makes_the_reader_fail_otherwise_than_it_should(written: object) -> None:
    with TemporaryDirectory() as directory:
        (Path(directory) / "config.json").write_text(json.dumps(written))
        ask = docker_credentials(Path(directory), lambda *_: (1, "credentials not found"))
        with suppress(AccessError, SettingsError):
            assert ask("ghcr.io") is None or len(ask("ghcr.io") or ()) == 2
