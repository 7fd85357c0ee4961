"""An operator in front of a real terminal: the live view, and Ctrl-C with each of its answers."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pexpect
import pytest

from migrate.core.documents import fields
from tests.e2e.conftest import Operator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SECONDS = 60
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_ctrl_c_asks_and_each_answer_is_obeyed(operator: Operator) -> None:
    operator.init()
    _soak(operator, "5m")
    _held_after_going_on(operator)
    _stopped_at_once(operator)
    _rolled_back_to_the_end(operator)
    choices = [fields(event.data)["choice"] for event in operator.events() if event.step == "operator"]
    assert choices == ["keep going", "hold", "roll back", "keep going"]


def _held_after_going_on(operator: Operator) -> None:
    with _terminal(operator, "apply", "--stage", "0", "--yes") as terminal:
        terminal.expect("left of 5:00")
        terminal.setwinsize(12, 44)
        _asked(terminal, "k")
        terminal.expect("left of 5:00")
        _asked(terminal, "h")
        assert _ended(terminal) == 130
    assert "is held" in _said(terminal)


def _stopped_at_once(operator: Operator) -> None:
    with _terminal(operator, "apply", "--stage", "0", "--yes", TERM="dumb") as terminal:
        terminal.expect("s of soak left")
        terminal.sendintr()
        terminal.expect("> ")
        terminal.sendintr()
        assert _ended(terminal) == 130
    assert "\x1b" not in _said(terminal, raw=True)


def _rolled_back_to_the_end(operator: Operator) -> None:
    with _terminal(operator, "apply", "--stage", "0", "--yes", "--plain") as terminal:
        terminal.expect("s of soak left")
        _asked(terminal, "nonsense")
        terminal.expect("> ")
        terminal.sendline("r")
        terminal.expect("Rolling back")
        terminal.sendintr()
        terminal.expect("THE WAY BACK IS NOT COMPLETE")
        terminal.expect("> ")
        terminal.sendline("h")
        terminal.expect("> ")
        terminal.sendline("k")
        assert _ended(terminal) == 4
    assert "as you asked" in _said(terminal)
    assert operator.service()["launchType"] == "FARGATE"


def _soak(operator: Operator, soak: str) -> None:
    path = operator.directory / "migrate.toml"
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^deadline = .*$", 'deadline = "10m"', text, flags=re.MULTILINE)
    path.write_text(re.sub(r"^soak = .*$", f'soak = "{soak}"', text, flags=re.MULTILINE), encoding="utf-8")


@contextmanager
def _terminal(operator: Operator, *arguments: str, **extra: str) -> Iterator[pexpect.spawn[str]]:
    environment = {**operator.environment, "TERM": "xterm", **extra}
    terminal = pexpect.spawn(
        sys.executable,
        ["-m", "migrate", *arguments],
        cwd=str(operator.directory),
        env=environment,
        encoding="utf-8",
        timeout=SECONDS,
        dimensions=(24, 100),
    )
    terminal.logfile_read = _Log()
    try:
        yield terminal
    finally:
        terminal.close(force=True)


class _Log(list[str]):
    """Everything that the terminal showed."""

    def write(self, text: str) -> None:
        self.append(text)

    def flush(self) -> None:
        """Keep it."""

    def __repr__(self) -> str:
        return _CONTROL.sub("", "".join(self))[-2000:]


def _asked(terminal: pexpect.spawn[str], answer: str) -> None:
    terminal.sendintr()
    terminal.expect("goes on until you answer")
    terminal.expect("> ")
    terminal.sendline(answer)


def _ended(terminal: pexpect.spawn[str]) -> int | None:
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus


def _said(terminal: pexpect.spawn[str], *, raw: bool = False) -> str:
    said = "".join(terminal.logfile_read)  # type: ignore[arg-type] # the stub knows a file, not ours
    return said if raw else _CONTROL.sub("", said)
