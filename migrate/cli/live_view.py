"""The live view: the story scrolls, and below it stands what the run is doing now."""

from __future__ import annotations

from datetime import datetime, timedelta

from rich.console import Console, RenderableType
from rich.live import Live

from migrate.core.evidence import Event, EventKind
from migrate.core.run.view import RunView, Telling, seen
from migrate.render import text
from migrate.render.live import live

FASTEST = timedelta(seconds=0.25)
"""No more than four drawings a second, whatever the engine tells."""

_CLOCKS = timedelta(seconds=1)
_ERASE_BELOW = "\x1b[J"


class LiveNarrator:
    """Implements narrator.Screen on a terminal that can be redrawn; the console says how large it is, each time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._telling = Telling()
        self._view: RunView | None = None
        self._live: Live | None = None
        self._drawn_at: datetime | None = None
        self._changed = False
        self._lines: list[int] = []

    def begin(self, view: RunView) -> None:
        """Start with a run of which nothing was told yet."""
        self._view, self._changed = view, True

    def tell(self, event: Event) -> None:
        """Let the event change the view; what is done or decided scrolls by as well, and stays."""
        if self._view is not None:
            self._view = seen(self._view, event)
        self._changed = True
        if self._telling.worth(event) and event.kind is not EventKind.MEASUREMENT:
            self._print(text.told(text.event(event), "dim" if event.kind is EventKind.RESOURCE else ""))

    def say(self, line: str) -> None:
        """Let a line scroll by."""
        self._print(text.told(line, "bold"))

    def draw(self, now: datetime) -> float | None:
        """Draw at most four times a second, and once a second where only clocks go on."""
        if self._view is None:
            return None
        since = now - self._drawn_at if self._drawn_at is not None else _CLOCKS
        pause = FASTEST if self._changed else _CLOCKS
        if since < pause:
            return (pause - since).total_seconds()
        self._drawn_at, self._changed = now, False
        size = self._console.size
        self._make_room(size.width)
        shown = live(self._view, now, width=size.width, height=max(1, size.height - 1))
        if self._live is None:
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.update(shown, refresh=True)
        self._lines = [len(line.rstrip()) for line in self._plain(shown, size.width)]
        return _CLOCKS.total_seconds()

    def suspend(self) -> None:
        """Take the view off the terminal; the next ``draw`` puts it back."""
        if self._live is not None:
            self._make_room(self._console.width)
            self._live.stop()
        self._live, self._drawn_at, self._changed, self._lines = None, None, True, []

    def _print(self, line: RenderableType) -> None:
        self._make_room(self._console.width)
        self._console.print(line, crop=False)

    def _make_room(self, width: int) -> None:
        """Erase what a terminal that became narrower has wrapped: rich counts the lines that it has written."""
        wrapped = sum(max(0, (length - 1) // width) for length in self._lines) if self._live is not None else 0
        if wrapped:
            self._console.file.write(f"\x1b[{wrapped}A{_ERASE_BELOW}")
        self._lines = []

    def _plain(self, shown: object, width: int) -> list[str]:
        return text.shown(shown, width=width, colour=False).splitlines()  # type: ignore[arg-type]
