from __future__ import annotations

import pytest

from migrate.adapters.processes import UNTOLD
from migrate.adapters.store.claims import claim_of, may_take
from migrate.errors import LockedError
from tests.fakes.record_store import FakeProcesses
from tests.fakes.records import SERVICE_ARN, a_run

HERE = "machine-1"


@pytest.mark.parametrize(
    ("machine", "then", "now", "taken"),
    [
        (HERE, "tick 1", None, True),
        (HERE, "tick 1", "tick 9", True),
        (HERE, "tick 1", "tick 1", False),
        # What is not told proves nothing.
        (HERE, "tick 1", UNTOLD, False),
        (HERE, UNTOLD, "tick 9", False),
        (HERE, UNTOLD, UNTOLD, False),
        (HERE, UNTOLD, None, True),
        # It was gone before it could be looked at.
        (HERE, None, None, True),
        # The same process id elsewhere says nothing about the holder.
        ("machine-2", "tick 1", None, False),
        ("machine-2", "tick 1", "tick 9", False),
    ],
)
def test_another_run_takes_a_claim_only_from_a_process_that_is_provably_gone(
    machine: str, then: str | None, now: str | None, taken: bool
) -> None:
    holder = claim_of(SERVICE_ARN, a_run(), table(machine, then))
    mine = table(HERE, now)
    wanted = claim_of(SERVICE_ARN, a_run("run-2", process=4712), mine)
    if taken:
        may_take(holder, wanted, mine)
    else:
        with pytest.raises(LockedError):
            may_take(holder, wanted, mine)


@pytest.mark.parametrize(
    ("machine", "process", "now", "taken"),
    [
        (HERE, 4711, "tick 1", True),
        (HERE, 4712, "tick 1", False),
        (HERE, 4712, None, True),
        (HERE, 4712, "tick 9", True),
        # A person who resumes on another machine has made sure himself.
        ("machine-2", 4712, "tick 1", True),
        (HERE, 4712, UNTOLD, True),
    ],
)
def test_a_run_is_resumed_unless_its_former_process_is_provably_there(
    machine: str, process: int, now: str | None, taken: bool
) -> None:
    holder = claim_of(SERVICE_ARN, a_run(), table(machine, "tick 1"))
    mine = table(HERE, now)
    wanted = claim_of(SERVICE_ARN, a_run(process=process), mine)
    if taken:
        may_take(holder, wanted, mine)
    else:
        with pytest.raises(LockedError):
            may_take(holder, wanted, mine)


def table(machine: str, started: str | None) -> FakeProcesses:
    return FakeProcesses(machine, {} if started is None else {4711: started})
