"""What the operator's own checks answered, before anybody judges it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

Series: TypeAlias = tuple[tuple[datetime, float], ...]
"""Values of a metric, oldest first, each with the beginning of its period."""


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """One HTTP request: ``status`` is None where no answer came, and ``problem`` says why.

    ``contains`` tells whether the body held the text that was asked for.
    """

    status: int | None
    seconds: float
    contains: bool = True
    problem: str = ""


@dataclass(frozen=True, slots=True)
class CommandEnd:
    """How a command ended; ``stdout`` and ``stderr`` are their beginnings, without secrets of the environment."""

    exit_code: int
    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What a webhook answered; ``verdict`` is pass, fail, inconclusive, error, or empty."""

    verdict: str = ""
    value: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class StageFacts:
    """What commands and webhooks are told about the stage that is judged."""

    cluster: str
    service: str
    stage: int | None
    deployment: str
    task_definition: str
    architecture: str

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Names and texts; a stage that is none (a way back) is an empty text."""
        stage = "" if self.stage is None else str(self.stage)
        return (
            ("cluster", self.cluster),
            ("service", self.service),
            ("stage", stage),
            ("deployment", self.deployment),
            ("task_definition", self.task_definition),
            ("architecture", self.architecture),
        )
