"""The composition root of what is about many services at once; each place is opened as for one service alone."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from threading import Lock

from migrate.adapters.aws.batches import AwsBatchReader
from migrate.adapters.aws.iam import AwsPermissionReader
from migrate.adapters.shared_reads import SharedReads
from migrate.core.fleet.definition import Member
from migrate.wiring import Place, opened_place
from migrate.workflows.fleet_plan import Place as FleetPlace

_OBJECTS_BEFORE_A_SEARCH = 50_000


@contextmanager
def looking_at_fleet(place: Place, size: int) -> Iterator[Callable[[Member], FleetPlace]]:
    """Give what opens the readers of a member's account and region, once for all of the fleet's ``size`` services.

    What they read is shared until this ends, and no longer.
    """
    lock, opened = Lock(), dict[tuple[object, str], FleetPlace]()
    with ExitStack() as stack:
        stack.enter_context(_rarely_searched_for_garbage())

        def place_of(member: Member) -> FleetPlace:
            with lock:
                key = (member.account, member.region)
                if key not in opened:
                    its = replace(place, region=member.region, member=member)
                    found = stack.enter_context(opened_place(its, SharedReads()))
                    permissions = AwsPermissionReader(found.session)
                    batches = AwsBatchReader(found.session, permissions, size=size)
                    opened[key] = FleetPlace(replace(found.readers, permissions=permissions), batches)
                return opened[key]

        yield place_of


@contextmanager
def _rarely_searched_for_garbage() -> Iterator[None]:
    """Search for garbage rarely, and never in what is there already.

    Answers of AWS are a great many small objects, hardly one of them in a cycle; looking for cycles as often as Python
    does by itself takes an eighth of all the processor time.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BEFORE_A_SEARCH, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
