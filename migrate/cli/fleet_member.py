"""One member of a fleet, run in a process of its own for a worker: the order comes in on standard input.

The worker keeps the other end open. When it is gone, the end of the input is read here, and the run holds between two
acts as on SIGTERM: nobody is left working on a service whom nobody watches.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from migrate.cli.runs import carried_out, ended
from migrate.errors import SettingsError

if TYPE_CHECKING:
    from migrate.cli.options import Options


def run_member(options: Options) -> int:
    """Read the order, run it, and write how it ended; return the exit code of the run."""
    from migrate import wiring, worker_wiring
    from migrate.core.fleet.run import FleetVerb
    from migrate.core.stages import Stage

    options.output = "json"
    line = sys.stdin.readline()
    if not line.strip():
        raise SettingsError(
            "There is no order on standard input.", then="Run `migrate worker`, which gives the orders."
        )
    order = worker_wiring.read_order(line)
    threading.Thread(target=_hold_at_the_end, name="worker's end", daemon=True).start()
    place = replace(options.place, member=order.member, region=order.member.region)
    back = order.verb is FleetVerb.ROLLBACK
    stage = Stage.ORIGINAL.value if order.stage is None else order.stage
    attendant = options.attendant(plain=True)
    with wiring.writing(place, order.verb.value, stage, attendant) as work:
        title = f"{order.verb.value} of {order.member.name}"
        outcome = carried_out(attendant, work, title, order.verb.value, *((order.stage,) if back else ()))
    return ended(options, outcome)


def _hold_at_the_end() -> None:
    # Nothing else is ever written there: whatever ends the read, the worker is gone.
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)
