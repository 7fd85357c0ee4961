from __future__ import annotations

import pytest

from migrate.core.history import only_run
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
        ("9", (), ExitCode.BLOCKED, "`migrate status`"),
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
