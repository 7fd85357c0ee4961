"""Plans of many services: read in batches, a few batches ahead, and each judged for itself.

A service that cannot be read or judged is an answer like any other. Nothing is kept of a batch once it was handed
out, so that a thousand services take no more memory than a hundred.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

from migrate.core.fleet.definition import Member
from migrate.core.fleet.plan import MemberSummary, MemberVerdict, judged
from migrate.core.image.names import ImageReference
from migrate.core.observation import Observation
from migrate.core.permission.answers import Question, simulated_principal
from migrate.core.plan.plan import MigrationPlan, make_plan
from migrate.core.record import Record, still_open
from migrate.core.task_definition import containers
from migrate.errors import BlockedError, MigrateError, ToolFaultError
from migrate.read_ports import BatchReader
from migrate.store_port import RecordStore
from migrate.workflows.begin import refuse_another_owner
from migrate.workflows.observe import observe
from migrate.workflows.permissions import questions_about, with_permissions
from migrate.workflows.plan import rates_of, save, stages_left
from migrate.workflows.runtime import Readers

SERVICES_A_BATCH = 50
SMALLEST_BATCH = 25
"""IAM is asked some seven times for a batch: more and smaller ones would have to wait for its rate instead."""

FIRST_BATCH = 10
"""One call reads them (facts F20). Until the first revision is asked for, the rate that bounds all is unused."""

BATCHES_AHEAD = 5
"""While one batch is judged, the revisions of the next ones are read: no batch of AWS has them (facts F20)."""

MOST_BATCHES_HELD = 2 * BATCHES_AHEAD
"""Plans are given out in order: so many batches may be there because an older one takes longer, and no more."""

READS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Place:
    """What reads one account and region for the length of one look; the settings in ``readers`` are anybody's."""

    readers: Readers
    batches: BatchReader


@dataclass(frozen=True, slots=True)
class MemberPlan:
    """The plan of one member, or the error that stands in its place."""

    member: Member
    plan: MigrationPlan | None
    error: MigrateError | None = None

    @property
    def summary(self) -> MemberSummary:
        """The member in a line."""
        member = self.member
        if self.plan is not None:
            return judged(
                self.plan,
                account=member.account_id,
                region=member.region,
                cluster=member.cluster,
                service=member.service,
            )
        error = self.error
        return MemberSummary(
            account=member.account_id,
            region=member.region,
            cluster=member.cluster,
            service=member.service,
            verdict=MemberVerdict.BLOCKED if isinstance(error, BlockedError) else MemberVerdict.UNREAD,
            stopper=" ".join(part for part in (error.what, error.why) if part) if error else "",
            code=error.runbook if error else "",
        )


def plan_fleet(
    members: Sequence[Member], place_of: Callable[[Member], Place], *, keep: bool = True
) -> Iterator[MemberPlan]:
    """Yield the plan of each member, in order, as soon as it and those before it are made.

    ``place_of`` gives the place of a member's account and region, the same one for all that share it; what it raises
    stands for those members. With ``keep`` every plan is saved as that of `migrate plan` is. What an image would leave
    behind and what a build needs is not looked at: that reads whole images, which `migrate plan` and every apply do.
    """
    look = _Look(place_of, keep=keep)
    try:
        yield from look.plans(members)
    finally:
        look.close()


class _Look:
    """One look at a fleet: threads that read ahead, and others that read and judge a batch."""

    def __init__(self, place_of: Callable[[Member], Place], *, keep: bool) -> None:
        self._place_of = place_of
        self._keep = keep
        self._batches = ThreadPoolExecutor(BATCHES_AHEAD, "batch")
        # Apart, so that a batch which has its revisions never waits behind those of the next ones.
        self._revisions = ThreadPoolExecutor(READS_AT_ONCE, "revision")
        self._beside = ThreadPoolExecutor(READS_AT_ONCE, "beside")
        self._services = ThreadPoolExecutor(READS_AT_ONCE, "service")

    def close(self) -> None:
        for pool in (self._batches, self._revisions, self._beside, self._services):
            pool.shutdown(wait=True, cancel_futures=True)

    def plans(self, members: Sequence[Member]) -> Iterator[MemberPlan]:
        ahead: deque[Future[list[MemberPlan]]] = deque()
        for batch in _batches(members):
            ahead.append(self._batches.submit(self._planned, batch))
            # Whichever is through first makes room: were it the oldest alone, the rate would be unused meanwhile.
            while len(under_way := [future for future in ahead if not future.done()]) >= BATCHES_AHEAD:
                wait(under_way, return_when=FIRST_COMPLETED)
            while ahead and (ahead[0].done() or len(ahead) >= MOST_BATCHES_HELD):
                yield from ahead.popleft().result()
        while ahead:
            yield from ahead.popleft().result()

    def _planned(self, members: Sequence[Member]) -> list[MemberPlan]:
        try:
            return self._looked_at(self._place_of(members[0]), members)
        except MigrateError as error:
            return [MemberPlan(member, None, error) for member in members]
        except Exception as fault:  # noqa: BLE001 - one batch's fault is no reason to look at no other
            return [MemberPlan(member, None, _fault(member.name, fault)) for member in members]

    def _looked_at(self, place: Place, members: Sequence[Member]) -> list[MemberPlan]:
        views = [replace(place.readers, settings=member.settings) for member in members]
        # The slowest single answer of all: asked for first, and once for all services of the account and region.
        self._beside.submit(rates_of, views[0], members[0].region)
        place.batches.services([member.settings for member in members])
        # Both take a call for each service, and so do both at the same time as all the rest.
        beside = self._beside.map(partial(_read_beside, place.batches), members)
        revisions = self._revisions.map(_image, views)
        place.batches.around([member.settings for member in members])
        images = [image for image in revisions if image is not None]
        list(beside)
        place.batches.repositories(images)
        records = _Records(place.readers.store, [member.arn for member in members])
        seen = list(self._services.map(partial(_seen, records.of), views))
        self._ask_about(place, seen)
        plans = [_judged(member, view, found) for member, view, found in zip(members, views, seen, strict=True)]
        if self._keep:
            save(place.readers.store, [(item.plan, item.member.settings) for item in plans if item.plan is not None])
        return plans

    @staticmethod
    def _ask_about(place: Place, seen: Sequence[_Seen | MigrateError]) -> None:
        known = [found for found in seen if isinstance(found, _Seen)]
        principal = simulated_principal(known[0].observation.account.caller_arn) if known else None
        if principal is not None:
            place.batches.permissions(principal, [question for found in known for question in found.questions])


@dataclass(frozen=True, slots=True)
class _Seen:
    observation: Observation
    record: Record | None
    questions: tuple[Question, ...]


class _Records:
    """The records of many services, read at once; what else is asked for is read by itself."""

    def __init__(self, store: RecordStore, services: Sequence[str]) -> None:
        self._store = store
        self._read = dict.fromkeys(services) | dict(store.records(services))

    def of(self, service: str) -> Record | None:
        """Return a service's record; raises what reading it raised."""
        found = self._read[service] if service in self._read else self._store.record(service)
        if isinstance(found, MigrateError):
            raise found
        return found


def _batches(members: Sequence[Member]) -> Iterator[list[Member]]:
    """Cut members into batches of one account and region each, in order.

    Where a fleet has many, the first one is small, so that the first revision is soon asked for, and the last ones
    are: whatever follows the last revision is then soon done.
    """
    for _, group in groupby(members, _where):
        left = list(group)
        many = len(left) > 2 * SERVICES_A_BATCH
        size = FIRST_BATCH if many else SERVICES_A_BATCH
        while left:
            yield left[:size]
            del left[:size]
            ends = many and len(left) <= 2 * SERVICES_A_BATCH
            size = max(SMALLEST_BATCH, len(left) // 2) if ends else SERVICES_A_BATCH


def _where(member: Member) -> tuple[object, str, str]:
    return member.account, member.account_id, member.region


def _read_beside(batches: BatchReader, member: Member) -> None:
    with suppress(Exception):  # it is met again, and told, where the whole service is read
        batches.service(member.settings)


def _image(view: Readers) -> ImageReference | None:
    """Read the revision that a service runs, and return the image that is to move."""
    wanted = view.settings
    try:
        service = view.services.service(wanted.service.cluster, wanted.service.name)
        definition = view.services.task_definition(service.task_definition_arn)
        images = {item.get("name"): str(item.get("image", "")) for item in containers(definition.document)}
        image = images.get(wanted.image.container)
        return ImageReference.parse(image) if image else None
    except Exception:  # noqa: BLE001 - it is met again, and told, where the whole service is read
        return None


def _judged(member: Member, view: Readers, found: _Seen | MigrateError) -> MemberPlan:
    if isinstance(found, MigrateError):
        return MemberPlan(member, None, found)
    try:
        observation = with_permissions(view, found.observation, stages_left(found.record), found.questions)
        return MemberPlan(member, make_plan(observation, member.settings, found.record))
    except MigrateError as error:
        return MemberPlan(member, None, error)
    except Exception as fault:  # noqa: BLE001 - what is wrong with one service says nothing about the others
        return MemberPlan(member, None, _fault(member.name, fault))


def _seen(record_of: Callable[[str], Record | None], view: Readers) -> _Seen | MigrateError:
    try:
        observation = observe(view, readiness=False, record_of=record_of)
        rates, problem = rates_of(view, observation.account.region)
        observation = replace(observation, rates=rates, rates_problem=problem)
        record = still_open(record_of(observation.service.arn))
        refuse_another_owner(record, view.settings)
        return _Seen(observation, record, questions_about(observation, view.settings, stages_left(record)))
    except MigrateError as error:
        return error
    except Exception as fault:  # noqa: BLE001 - what is wrong with one service says nothing about the others
        return _fault(view.settings.service.name, fault)


def _fault(service: str, fault: Exception) -> MigrateError:
    return ToolFaultError(
        f"migrate itself failed over {service}: {type(fault).__name__}.",
        why=f"{fault}"[:400],
        then="The other services are not touched by it. Please report it, with `migrate plan` of this service.",
    )
