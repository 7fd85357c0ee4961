"""The composition root of what works on fleets."""

from __future__ import annotations

import os
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tenacity import sleep_using_event

from migrate.adapters.aws.ecs import EcsServiceReader
from migrate.adapters.aws.roles import role_of
from migrate.adapters.aws.session import open_session
from migrate.adapters.member_processes import MemberProcesses
from migrate.adapters.processes import LocalProcesses, alive
from migrate.adapters.rate_limits import PROCESS_LIMITS
from migrate.adapters.store.codec import decode, encode
from migrate.adapters.store.database import is_shared
from migrate.adapters.store.fleet_store import SqlFleetStore
from migrate.adapters.store.rate_limits import SqlRateLimits
from migrate.adapters.store.record_store import SqlRecordStore
from migrate.adapters.system_clock import SystemClock
from migrate.config import Environment, read_environment
from migrate.config.fleet import FLEET_FILE, FleetDocument, load_fleet
from migrate.core.fleet.definition import FleetAccount, Member
from migrate.core.fleet.run import Entry, FleetRun, MemberOrder, Worker
from migrate.read_ports import RateLimits
from migrate.workflows.fleet import Starter
from migrate.workflows.fleet_members import find_members
from migrate.workflows.fleet_worker import FleetTools, FleetWorker, kept_alive

if TYPE_CHECKING:
    from migrate.wiring import Place

_WHILE_LEAVING = 0.2


@dataclass(frozen=True, slots=True)
class FleetPlace:
    """Where fleets are worked on: the database, and who works on them here."""

    environment: Environment
    store: SqlFleetStore
    records: SqlRecordStore
    clock: SystemClock

    @property
    def starter(self) -> Starter:
        """Who begins a run here, under an id that is new."""
        return Starter(str(uuid.uuid4()), self.environment.operator, self.environment.host)


@contextmanager
def fleet_place(file: Path | None) -> Iterator[FleetPlace]:
    """Give the database of the fleets; ``file`` is the fleet.toml beside which the state is kept."""
    environment = read_environment(os.environ, directory=Path.cwd(), config=file or Path(FLEET_FILE))
    clock = SystemClock()
    with (
        SqlFleetStore(environment.database_url, clock.now) as store,
        SqlRecordStore(environment.database_url) as records,
    ):
        yield FleetPlace(environment, store, records, clock)


def fleet_document(place: FleetPlace) -> FleetDocument:
    """Read fleet.toml. Raises SettingsError."""
    return load_fleet(place.environment.config)


def members_of(document: FleetDocument, environment: Environment, wish: Place) -> tuple[Member, ...]:
    """Ask AWS which services belong to a fleet; region and profile of ``wish`` are for accounts that name none.

    Every member keeps the profile that found it: whoever works on it later was not told of the wish.
    """
    with _rate_limits(environment) as limits:

        def reader(account: FleetAccount, region: str | None) -> EcsServiceReader:
            session = open_session(
                region or wish.region or environment.region,
                environment=os.environ,
                profile=account.profile or wish.profile,
                limits=limits,
                role=role_of(account, environment.operator),
            )
            return EcsServiceReader(session)

        found = find_members(document, reader)
    if wish.profile is None:
        return found
    accounts = {
        member.account: replace(member.account, profile=member.account.profile or wish.profile) for member in found
    }
    return tuple(replace(member, account=accounts[member.account]) for member in found)


@contextmanager
def _rate_limits(environment: Environment) -> Iterator[RateLimits]:
    """Give what all calls of this process wait for, and those of other machines where the database is theirs too."""
    if not is_shared(environment.database_url):
        yield PROCESS_LIMITS
        return
    with SqlRateLimits(environment.database_url, PROCESS_LIMITS) as limits:
        yield limits


@contextmanager
def working(place: FleetPlace, concurrency: int, tell: Callable[[str], None]) -> Iterator[FleetWorker]:
    """Be a worker: take members from the queue and run them, as long as the block lasts.

    With a concurrency of 0 nothing is taken. At the end whatever is under way is stopped between two acts and handed
    back.
    """
    from migrate.workflows.fleet_queue import DbosQueue, taking

    environment, processes = place.environment, LocalProcesses()
    me = Worker(
        str(uuid.uuid4()),
        environment.host,
        environment.process,
        processes.machine(),
        processes.started(environment.process),
        concurrency,
    )
    with ExitStack() as stack:
        queue = stack.enter_context(DbosQueue(environment.database_url))
        runner = MemberProcesses(_command(environment), _child_environment(environment), _order)
        tools = FleetTools(place.store, queue, runner, place.clock, _dead(processes), tell)
        worker = FleetWorker(tools, me)
        if not concurrency:
            yield worker
            return
        stack.enter_context(taking(environment.database_url, me.id, worker.work, concurrency=concurrency))
        over = threading.Event()
        beating = threading.Thread(
            target=kept_alive, args=(worker, over, sleep_using_event(over)), name="beat", daemon=True
        )
        beating.start()
        try:
            yield worker
        finally:
            worker.leave()
            while worker.busy:
                over.wait(_WHILE_LEAVING)
            over.set()
            beating.join()
            place.store.leave(me.id)


def read_order(text: str) -> MemberOrder:
    """Return the order that another process of ours wrote."""
    return decode(MemberOrder, text)


def _order(run: FleetRun, entry: Entry) -> str:
    return encode(MemberOrder(run.verb, run.stage, entry.member))


def _command(environment: Environment) -> list[str]:
    return [sys.executable, "-m", "migrate", "fleet", "member", "--config", str(environment.config)]


def _child_environment(environment: Environment) -> dict[str, str]:
    return {
        **os.environ,
        "MIGRATE_STATE_DIR": str(environment.state_dir),
        "MIGRATE_DATABASE_URL": environment.database_url,
    }


def _dead(processes: LocalProcesses) -> Callable[[Worker], bool]:
    """Return what tells whether a worker of this machine is provably gone; of another machine it is never provable."""
    here = processes.machine()

    def dead(worker: Worker) -> bool:
        return worker.machine == here and alive(processes, worker.process, worker.process_started) is False

    return dead
