"""The live view on a console: how often it draws, what stays, and what a terminal of another size does to it."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console

from migrate.cli.live_view import LiveNarrator
from migrate.core.evidence import EventKind
from migrate.core.run.view import RunView
from tests.fakes.records import NOON
from tests.fakes.story import PASSES, measured, resource, told

BEGIN = RunView("stage 2 (architecture) of demo/web", NOON)


class Paper:
    """A console that keeps what is written to it."""

    def __init__(self, width: int = 80) -> None:
        self.out = StringIO()
        self.console = Console(file=self.out, force_terminal=True, width=width, height=24, _environ={})
        self.narrator = LiveNarrator(self.console)
        self.narrator.begin(BEGIN)

    def written(self) -> str:
        text = self.out.getvalue()
        self.out.seek(0)
        self.out.truncate()
        return text


def test_it_draws_at_most_four_times_a_second_and_once_a_second_when_idle() -> None:
    paper, drawn = Paper(), 0
    for step in range(200):
        now = NOON + timedelta(milliseconds=10 * step)
        if step < 100:
            paper.narrator.tell(resource(f"r{step}", "started"))
        paper.written()
        wait = paper.narrator.draw(now)
        drawn += bool(paper.written())
        assert wait is not None
        assert 0 < wait <= 1
    assert 4 <= drawn <= 6, "four in the busy second, then one in the idle one"


def test_what_is_done_stays_and_samples_change_the_view_alone() -> None:
    paper = Paper()
    paper.narrator.tell(told(EventKind.OUTCOME, "up", "service stack: done"))
    paper.narrator.tell(measured(PASSES, soak_left=600.0))
    paper.narrator.draw(NOON)
    paper.narrator.suspend()
    text = paper.written()
    assert "done     service stack\n" in text
    assert "10:00 left of 10:00" in text
    assert "\x1b[?25h" in text, "the cursor is shown again"
    paper.narrator.draw(NOON)
    assert "10:00 left of 10:00" in paper.written(), "after a question the view comes back"


@pytest.mark.parametrize(("narrower", "above"), [(80, 0), (41, 1), (39, 2)])
def test_lines_that_a_narrower_terminal_has_wrapped_are_erased(narrower: int, above: int) -> None:
    paper = Paper(80)
    paper.narrator.draw(NOON)
    paper.written()
    paper.console.width = narrower
    paper.narrator.draw(NOON + timedelta(seconds=2))
    text = paper.written()
    assert text.startswith(f"\x1b[{above}A\x1b[J") is bool(above)
    shown = [line for line in text.splitlines() if "Ctrl-C" in line]
    assert len(shown) == 1


def test_without_colour_it_is_drawn_without_colour() -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=80, height=24, _environ={"NO_COLOR": "1"})
    narrator = LiveNarrator(console)
    narrator.begin(BEGIN)
    narrator.tell(measured(PASSES, soak_left=600.0))
    narrator.draw(NOON)
    assert "\x1b[32m" not in out.getvalue()
