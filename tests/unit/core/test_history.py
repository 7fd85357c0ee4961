from __future__ import annotations

import pytest

from migrate.core.run.history import of_service, only_run
from migrate.core.settings import ServiceSettings
from migrate.errors import ExitCode, MigrateError
from tests.fakes.records import a_run


def test_a_run_is_meant_by_its_whole_id_or_by_an_unambiguous_beginning() -> None:
    one, longer = a_run("7abc"), a_run("7abcd")
    assert only_run("7abc", (longer, one)) is one
    assert only_run("7abcd", (longer,)) is longer
    assert only_run("7ab", (one,)) is one


@pytest.mark.parametrize(
    ("prefix", "there", "code", "told"),
    [
        ("9", (), ExitCode.BLOCKED, "`migrate history`"),
        ("7ab", ("7abc", "7abd"), ExitCode.USAGE, "7abc (apply on web); 7abd (apply on web)."),
        # What is left out by mistake means no run, also where there is only one.
        ("", ("7abc",), ExitCode.USAGE, "7abc"),
        ("7", tuple(f"7{number}" for number in range(8)), ExitCode.USAGE, "74 (apply on web); and 3 more."),
    ],
)
def test_what_means_no_run_or_several_is_refused_with_what_there_is(
    prefix: str, there: tuple[str, ...], code: ExitCode, told: str
) -> None:
    with pytest.raises(MigrateError) as refused:
        only_run(prefix, tuple(a_run(name) for name in there))
    assert refused.value.exit_code is code
    assert told in f"{refused.value.why} {refused.value.then}"


def arn(path: str, region: str = "us-east-1", account: str = "111122223333") -> str:
    return f"arn:aws:ecs:{region}:{account}:service/{path}"


@pytest.mark.parametrize(
    ("cluster", "name", "region", "meant"),
    [
        ("demo", "web", "us-east-1", [arn("demo/web"), arn("web"), arn("demo/web", account="444455556666")]),
        (
            "arn:aws:ecs:eu-west-1:111122223333:cluster/demo",
            arn("demo/web", "eu-west-1"),
            "eu-west-1",
            [arn("demo/web", "eu-west-1")],
        ),
        (
            "demo",
            "web",
            None,
            [arn("demo/web"), arn("demo/web", "eu-west-1"), arn("web"), arn("demo/web", account="444455556666")],
        ),
        ("other", "web", "us-east-1", [arn("web"), arn("other/web")]),
        ("demo", "eb", "us-east-1", []),
    ],
)
def test_the_runs_of_a_service_are_found_by_what_the_settings_call_it(
    cluster: str, name: str, region: str | None, meant: list[str]
) -> None:
    there = (
        arn("demo/web"),
        arn("demo/web", "eu-west-1"),
        arn("demo/worker"),
        arn("other/web"),
        arn("web"),
        arn("demo/web", account="444455556666"),
    )
    assert sorted(of_service(ServiceSettings(cluster, name), region, there)) == sorted(meant)
