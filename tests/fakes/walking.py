"""Fakes of what a guided walk needs: a runner, a store, and an operator who answers from a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from migrate.core.runbook.walk import AfterStep, BeforeStep, Shown, Walk
from migrate.runbook_ports import Answered


@dataclass(slots=True)
class FakeCommands:
    """The port CommandRunner; answers in the order given, and well after that."""

    answers: list[Answered] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    variables: list[dict[str, str]] = field(default_factory=list)
    raises: BaseException | None = None

    def run(self, command: str, variables: Mapping[str, str], *, quiet: bool = False) -> Answered:  # noqa: ARG002
        self.ran.append(command)
        self.variables.append(dict(variables))
        if self.raises is not None:
            raise self.raises
        return self.answers.pop(0) if self.answers else Answered(0, "")


class FakeWalks:
    """The port WalkStore, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Walk] = {}

    def walk(self, key: str) -> Walk | None:
        return self.kept.get(key)

    def save(self, key: str, walk: Walk) -> None:
        self.kept[key] = walk

    def forget(self, key: str) -> None:
        self.kept.pop(key, None)


class FakeOperator:
    """The port Companion; says what it was told to say, and yes where nothing is left."""

    def __init__(self, *answers: BeforeStep | AfterStep | bool | str | BaseException) -> None:
        self._answers = list(answers)
        self.told: list[str] = []
        self.shown: list[Shown] = []
        self.unmet: list[tuple[str, ...]] = []
        self.came_back_to: list[Walk] = []
        self.asked_for: list[str] = []

    def _next(self) -> object:
        answer = self._answers.pop(0) if self._answers else BeforeStep.RUN
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def tell(self, markdown: str) -> None:
        self.told.append(markdown)

    def go_on(self, walk: Walk, count: int) -> bool:  # noqa: ARG002 - the port's signature
        self.came_back_to.append(walk)
        return bool(self._next())

    def value(self, name: str) -> str:
        self.asked_for.append(name)
        return str(self._next())

    def before(self, shown: Shown) -> BeforeStep:
        self.shown.append(shown)
        return BeforeStep(str(self._next()))

    def after(self, unmet: tuple[str, ...]) -> AfterStep:
        self.unmet.append(unmet)
        return AfterStep(str(self._next()))

    def met(self) -> None:
        self.told.append("met")
