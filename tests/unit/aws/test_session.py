from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrate import __version__
from migrate.adapters.aws.session import AwsSession, Region, open_session, resolve_region
from migrate.errors import ExitCode, SettingsError
from tests.unit.aws.recordings import REGION

BOTH = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}


@pytest.mark.parametrize(
    ("setting", "environment", "profile", "expected"),
    [
        ("us-east-1", BOTH, "eu-west-3", Region("us-east-1", "the setting `region`")),
        (None, BOTH, "eu-west-3", Region("eu-west-1", "AWS_REGION")),
        ("  ", {"AWS_REGION": "", **BOTH}, None, Region("eu-west-1", "AWS_REGION")),
        (None, {"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-3", Region("eu-west-2", "AWS_DEFAULT_REGION")),
        (None, {"AWS_REGION": ""}, "eu-west-3", Region("eu-west-3", "the AWS profile")),
    ],
)
def test_the_first_one_that_names_a_region_wins(
    setting: str | None, environment: dict[str, str], profile: str | None, expected: Region
) -> None:
    assert resolve_region(setting, environment, profile) == expected


def test_no_region_at_all_is_said_before_anything_is_asked() -> None:
    with pytest.raises(SettingsError) as raised:
        open_session(None, environment={})
    assert raised.value.exit_code is ExitCode.USAGE
    assert "AWS_REGION" in raised.value.then


def test_other_tools_find_the_same_region_under_both_names() -> None:
    session = open_session("eu-west-1", environment={"AWS_DEFAULT_REGION": "us-east-1"})
    assert session.provider_environment == {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}


def test_a_profile_gives_its_region_and_is_handed_on(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile shop]\nregion = ap-northeast-1\n", encoding="utf-8")
    session = open_session(None, environment={}, profile="shop")
    assert session.region == Region("ap-northeast-1", "the AWS profile")
    assert session.provider_environment["AWS_PROFILE"] == "shop"
    assert session.ecs().meta.region_name == "ap-northeast-1"


def test_a_default_profile_gives_its_region(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\n", encoding="utf-8")
    assert open_session(None, environment={}).region.name == "eu-north-1"


@pytest.mark.parametrize("by_environment", [True, False])
def test_an_unknown_profile_is_named(*, by_environment: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere" if by_environment else "")
    with pytest.raises(SettingsError, match=r"profile does not exist.*nowhere"):
        open_session("eu-west-1", environment={}, profile=None if by_environment else "nowhere")


def test_a_broken_configuration_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[default\nregion", encoding="utf-8")
    with pytest.raises(SettingsError, match="cannot be read"):
        open_session("eu-west-1", environment={})


def test_each_client_is_made_once_a_region_and_purpose(session: AwsSession) -> None:
    assert session.ecs() is session.ecs()
    assert session.ecr() is session.ecr(REGION)
    assert session.ecr("us-east-1") is not session.ecr()
    assert session.ecr("us-east-1").meta.region_name == "us-east-1"
    assert id(session.ecs_writer()) != id(session.ecs())


def test_clients_say_who_they_are_and_never_wait_for_ever(session: AwsSession) -> None:
    config: Any = session.elbv2().meta.config
    assert f"ecs-migrate/{__version__}" in config.user_agent_extra
    assert (config.connect_timeout, config.read_timeout) == (5, 30)
    assert config.retries == {"mode": "adaptive", "total_max_attempts": 6}


def test_botocore_never_repeats_a_write(session: AwsSession) -> None:
    for client in (session.ecs_writer(), session.ecr_writer()):
        config: Any = client.meta.config
        assert config.retries["total_max_attempts"] == 1


def test_where_nobody_gets_through_to_iam_nobody_waits_long(session: AwsSession) -> None:
    config: Any = session.iam().meta.config
    assert config.retries["total_max_attempts"] == 2


def test_a_person_s_own_number_of_attempts_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    config: Any = open_session("eu-west-1", environment={}).ecs().meta.config
    assert config.retries["total_max_attempts"] == 2


def test_an_endpoint_of_one_s_own_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://localhost:4566")
    assert open_session("eu-west-1", environment={}).ecs().meta.endpoint_url == "https://localhost:4566"
