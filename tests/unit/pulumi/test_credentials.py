from __future__ import annotations

import base64
import json
from pathlib import Path

from migrate.adapters.pulumi.credentials import docker_configuration, with_login

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
    with docker_configuration(ECR, lambda _: ("AWS", "token"), environment) as login:
        file = Path(login["DOCKER_CONFIG"]) / "config.json"
        assert json.loads(file.read_text())["auths"] == {ECR: AUTH}
        assert file.stat().st_mode & 0o077 == 0
        assert login["BUILDX_CONFIG"] == str(tmp_path / ".docker" / "buildx")
    assert not file.parent.exists()


def test_the_persons_builders_and_contexts_stay(tmp_path: Path) -> None:
    (tmp_path / "contexts").mkdir()
    environment = {"DOCKER_CONFIG": str(tmp_path), "BUILDX_CONFIG": "/builders"}
    with docker_configuration(ECR, lambda _: ("AWS", "token"), environment) as login:
        assert (Path(login["DOCKER_CONFIG"]) / "contexts").resolve() == tmp_path / "contexts"
        assert login["BUILDX_CONFIG"] == "/builders"


def test_without_a_login_the_persons_own_configuration_is_used() -> None:
    with docker_configuration("ghcr.io", lambda _: None, {}) as login:
        assert login == {}


def test_without_a_registry_nobody_is_asked() -> None:
    def refuse(_: str) -> tuple[str, str]:
        raise AssertionError

    with docker_configuration("", refuse, {}) as login:
        assert login == {}
