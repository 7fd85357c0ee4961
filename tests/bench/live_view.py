"""What the live view takes of a processor while nothing happens: one drawing a second."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

from rich.console import Console

from migrate.cli.live_view import LiveNarrator
from migrate.core.run.view import RunView
from tests.fakes.records import NOON
from tests.fakes.story import PASSES, measured

Figure = tuple[str, float, str]

_SECONDS = 200


def live_view_figures() -> Iterator[Figure]:
    """Yield the share of a processor that an idle live view takes."""
    narrator = LiveNarrator(Console(file=StringIO(), force_terminal=True, width=80, height=24, _environ={}))
    narrator.begin(RunView("stage 2 (architecture) of demo/web", NOON))
    narrator.tell(measured(PASSES, soak_left=600.0))
    begun = time.process_time()
    for second in range(_SECONDS):
        narrator.draw(NOON + timedelta(seconds=second))
    yield "live_view_cpu_share", 100 * (time.process_time() - begun) / _SECONDS, "%"
