"""Whatever is wrong: one clear message, the right exit code, no traceback, nothing written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from migrate.cli.app import run
from migrate.errors import ExitCode

GOOD = """\
[service]
cluster = "demo"
name = "web"

[image]
container = "web"
context = "app"
"""
REGION = GOOD.replace('name = "web"', 'name = "web"\nregion = "us-east-1"')


@dataclass
class Shell:
    """Runs the command line in a directory of its own."""

    place: Path
    captured: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, settings: str | None = None) -> tuple[int, str, str]:
        if settings is not None:
            (self.place / "migrate.toml").write_text(settings)
        before = sorted(self.place.rglob("*"))
        code = run(list(arguments))
        out, err = self.captured.readouterr()
        assert "Traceback" not in out + err
        assert sorted(self.place.rglob("*")) == before, "nothing may be written"
        return code, out, err


@pytest.fixture
def shell(bare_environment: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(bare_environment, capsys)


VERBS = [
    ("plan",),
    ("apply", "--stage", "0", "--yes"),
    ("rollback", "--yes"),
    ("status",),
    ("stack", "service", "--", "preview"),
]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_without_settings_every_verb_says_how_to_get_some(shell: Shell, verb: tuple[str, ...]) -> None:
    code, out, err = shell(*verb)
    assert code == ExitCode.USAGE
    assert out == ""
    assert "migrate.toml" in err
    assert "migrate init" in err
    assert "Runbook: errors#settings" in err


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (GOOD.replace("container", "contaner"), ("line 6", "image.contaner", "image.container")),
        (GOOD + "[gate]\nsoak = 10\n", ("line 9", "gate.soak", 'a duration such as "15s"')),
        (GOOD.replace('"web"\n\n', "3\n\n"), ("line 3", "service.name", "a text")),
        (GOOD.replace('name = "web"\n', ""), ("line 1", "service.name", "a text that is not empty")),
        (GOOD + "[image.build_arguments]\nA = 1\n", ("line 9", "A")),
        (GOOD.replace("[image]", "[image"), ("line 5",)),
        (GOOD + '[capacity]\nstrategy = [{ provider = "FARGATE", weight = 0 }]\n', ("line 9", "weight")),
        (GOOD + "[surprise]\nx = 1\n", ("line 8", "surprise")),
    ],
    ids=["unknown key", "wrong type", "number for a text", "missing", "nested", "no TOML", "weights", "table"],
)
def test_a_mistake_in_the_settings_is_told_with_line_key_and_what_was_expected(
    shell: Shell, settings: str, told: tuple[str, ...]
) -> None:
    code, out, err = shell("plan", settings=settings)
    shown = " ".join(err.split())
    assert code == ExitCode.USAGE
    assert out == ""
    for part in told:
        assert part in shown, shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("aply",), "No such command 'aply'"),
        (("apply",), "Missing option '--stage'"),
        (("apply", "--stage", "4"), "4 is not in the range 0<=x<=3"),
        (("apply", "--stage", "one"), "'one' is not a valid integer"),
        (("apply", "--stage", "1", "--force"), "No such option"),
        (("rollback", "--to", "start"), "'start' is not 'original'"),
        (("rollback", "--to-stage", "1", "--to", "original"), "two different things"),
        (("rollback", "--to-stage", "3"), "3 is not in the range 0<=x<=2"),
        (("plan", "--output", "yaml"), "'yaml' is not one of"),
        (("stack", "cluster", "--", "preview"), "'cluster' is not one of"),
        (("plan", "--config"), "requires an argument"),
    ],
)
def test_a_command_that_does_not_exist_is_a_usage_error(shell: Shell, arguments: tuple[str, ...], told: str) -> None:
    code, out, err = shell(*arguments, settings=REGION)
    assert (code, out) == (ExitCode.USAGE, "")
    assert told in err


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_without_a_region_nothing_is_asked(shell: Shell, verb: tuple[str, ...]) -> None:
    code, _, err = shell(*verb, settings=GOOD)
    assert code in {ExitCode.USAGE, ExitCode.BLOCKED}
    assert "region" in err
    assert "--region" in err


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_without_credentials_nothing_is_asked(shell: Shell, verb: tuple[str, ...]) -> None:
    code, out, err = shell(*verb, settings=REGION)
    assert (code, out) == (ExitCode.BLOCKED, "")
    assert "credentials" in err
    assert "Runbook: errors#credentials" in err


def test_a_profile_that_does_not_exist_is_named(shell: Shell) -> None:
    code, _, err = shell("plan", "--profile", "nobodys", settings=REGION)
    assert code in {ExitCode.USAGE, ExitCode.BLOCKED}
    assert "nobodys" in err


@pytest.mark.parametrize("region", ["us-esat-1", "Frankfurt", "eu-central-1a"])
def test_a_region_that_is_spelled_wrongly_is_named(shell: Shell, region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    code, _, err = shell("plan", "--region", region, settings=GOOD)
    assert code in {ExitCode.USAGE, ExitCode.BLOCKED}
    assert region in err


def test_errors_are_one_json_object_for_programs(shell: Shell) -> None:
    code, out, err = shell("plan", "--output", "json")
    told = json.loads(out)
    assert (code, err) == (ExitCode.USAGE, "")
    assert set(told) == {"format", "document", "error", "exit_code", "what", "why", "then", "runbook"}
    assert told["exit_code"] == code


def test_init_without_a_region_or_credentials_writes_nothing(shell: Shell) -> None:
    assert shell("init", "--cluster", "demo", "--service", "web")[0] in {ExitCode.USAGE, ExitCode.BLOCKED}
    code, _, err = shell("init", "--cluster", "demo", "--service", "web", "--region", "us-east-1")
    assert code == ExitCode.BLOCKED
    assert "credentials" in err


def test_a_settings_file_that_is_elsewhere_is_named(shell: Shell) -> None:
    code, _, err = shell("plan", "--config", "other/place.toml")
    assert code == ExitCode.USAGE
    assert "other/place.toml" in err


def test_a_settings_file_that_is_a_directory_or_no_text_is_no_fault(shell: Shell) -> None:
    (shell.place / "migrate.toml").mkdir()
    assert shell("plan")[0] == ExitCode.USAGE
    (shell.place / "other.toml").write_bytes(b"\xff\xfe\x00")
    assert shell("plan", "--config", "other.toml")[0] == ExitCode.USAGE


def test_a_database_of_another_kind_is_refused(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGRATE_DATABASE_URL", "mysql://root@localhost/x")
    code, _, err = shell("plan", settings=REGION)
    assert code == ExitCode.USAGE
    assert "MIGRATE_DATABASE_URL" in err


@pytest.mark.parametrize("stage", ["1", "2", "3"])
def test_a_new_baseline_goes_with_stage_0_alone(shell: Shell, stage: str) -> None:
    code, out, err = shell("apply", "--stage", stage, "--rebaseline", "--yes", settings=REGION)
    assert code == ExitCode.USAGE
    assert "it goes with --stage 0" in out + err
