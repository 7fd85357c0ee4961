"""Records the real demo in a terminal, and writes what the README shows of it: `make recording`."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path

import pexpect
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

TARGET = Path(__file__).parents[1] / "migrate" / "sandbox" / "demo" / "recording.svg"
COLUMNS = 112
SHOWN = (("5. Stage 2", "7. A stage"), ("What was before and after", "\0"))
"""First line of each part that is shown, and the line where it ends; the end of the recording where there is none."""
_FONTS_FROM_ELSEWHERE = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)
_COMMAND_SECONDS = 1800


def recorded() -> list[str]:
    """Run the demo in a terminal of its own and return its lines, colours included. Exits where the demo fails."""
    output = io.StringIO()
    terminal = pexpect.spawn(
        sys.executable,
        ["-m", "migrate.sandbox.demo"],
        env={**os.environ, "TERM": "xterm-256color", "MIGRATE_PLAIN": "1"},
        dimensions=(50, COLUMNS),
        timeout=_COMMAND_SECONDS,
        encoding="utf-8",
    )
    terminal.logfile_read = output
    terminal.expect(pexpect.EOF)
    terminal.close()
    if terminal.exitstatus != 0:
        sys.stderr.write(output.getvalue())
        sys.exit("The demo failed; nothing was written.")
    return output.getvalue().replace("\r\n", "\n").splitlines()


def excerpt(lines: list[str]) -> Text:
    """Return the parts that are shown, with a line between them where something was left out."""
    parts = []
    for first, behind in SHOWN:
        begin = next(number for number, line in enumerate(lines) if first in line)
        end = next((number for number, line in enumerate(lines[begin:], begin) if behind in line), len(lines))
        parts.append("\n".join(lines[begin:end]).strip("\n"))
    return Text.from_ansi("\n\n[…]\n\n".join(parts))


def main() -> None:
    """Write the picture."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(excerpt(recorded()))
    # A repository page loads nothing from elsewhere, and neither should this: the reader's own monospace font will do.
    drawn = console.export_svg(title="make demo", code_format=_FONTS_FROM_ELSEWHERE.sub("", CONSOLE_SVG_FORMAT))
    TARGET.write_text(drawn, encoding="utf-8")
    sys.stdout.write(f"wrote {TARGET}\n")


if __name__ == "__main__":
    main()
