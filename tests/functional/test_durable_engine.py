"""The same workflows on DBOS: every result survives its database, and a run is carried out once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from migrate.core.stages import Position, Stage
from migrate.errors import BlockedError, ExitCode
from migrate.workflows.engine import Asked, engine
from tests.fakes.migration import Operator


def test_runs_and_refusals_on_the_durable_engine(database_url: str) -> None:
    operator = Operator.of()
    run, again, early = operator.run("apply", 0), operator.run("rollback", -1), operator.run("apply", 3)
    with engine(database_url, operator.runtimes) as running:
        first = running.start(Asked("apply"), run)
        calls = list(operator.stacks.calls)
        assert first.exit_code is ExitCode.DONE
        assert running.start(Asked("apply"), run) == first, "the recorded outcome, not another run"
        assert operator.stacks.calls == calls
        with pytest.raises(BlockedError) as refused:
            running.start(Asked("apply"), early)
        assert refused.value.then == "Run `migrate apply --stage 1` first."
        back = running.start(Asked("rollback", (Stage.ORIGINAL,)), again)
    assert (back.exit_code, operator.record.position) == (ExitCode.DONE, Position())
    assert operator.service.launch_type == "FARGATE"


def test_another_process_knows_what_a_former_one_did(database_url: str) -> None:
    operator = Operator.of()
    run, url = operator.run("apply", 0), database_url
    with engine(url, operator.runtimes) as running:
        first = running.start(Asked("apply"), run)
    with engine(url, operator.runtimes) as running:
        assert running.start(Asked("apply"), run) == first
    assert operator.stacks.calls.count("up_service") == 2


def test_ctrl_c_in_a_step_of_a_rollback_ends_in_words_and_the_next_run_goes_on(database_url: str) -> None:
    operator = Operator.of().reach(1)
    operator.stacks.interrupt_after["refresh"] = KeyboardInterrupt()
    first, second = operator.run("rollback", 0), operator.run("rollback", 0)
    url = database_url
    with engine(url, operator.runtimes) as running:
        stopped = running.start(Asked("rollback", (Stage.BASELINE,)), first)
    assert (stopped.exit_code, stopped.text.split(":")[0]) == (ExitCode.INTERRUPTED, "ROLLBACK INTERRUPTED")
    with engine(url, operator.runtimes) as running:
        assert running.start(Asked("rollback", (Stage.BASELINE,)), second).exit_code is ExitCode.DONE


def test_c43_a_new_baseline_runs_on_the_durable_engine(database_url: str) -> None:
    operator = Operator.of().reach(1)
    operator.world.deploy()
    operator.world.pass_time(timedelta(minutes=10))
    theirs, run = operator.service.task_definition_arn, operator.run("apply", 0)
    with engine(database_url, operator.runtimes) as running:
        outcome = running.start(Asked("rebaseline"), run)
        assert running.start(Asked("rebaseline"), run) == outcome, "the recorded outcome, not another run"
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert operator.record.baseline.task_definition.arn == theirs
