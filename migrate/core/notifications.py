"""What people and programs elsewhere are told of a run: that it began, and how it ended, each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from migrate.core.documents import Json
from migrate.core.evidence import Run
from migrate.core.outcome import RunOutcome
from migrate.core.stages import Stage
from migrate.errors import ExitCode, MigrateError

_MOST_REASONS = 20
_LONGEST_REASON = 1000
"""SNS and EventBridge carry 256 KiB at most (SNS API reference, Publish; EventBridge user guide, PutEvents)."""


class NotifiedEvent(StrEnum):
    """What may be told; the word of each never changes."""

    STARTED = "started"
    STAGE_PROVEN = "stage-proven"
    ROLLED_BACK = "rolled-back"
    WENT_BACK = "went-back"
    HELD = "held"
    ROLLBACK_INCOMPLETE = "rollback-incomplete"
    INTERRUPTED = "interrupted"
    REFUSED = "refused"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """A URL that is told by POST; the URL itself, or the environment variable that holds it where it is a secret.

    ``secret`` names the variable with the key that signs what is sent, ``headers`` are names of headers and of the
    variables that hold their values.
    """

    url: str = ""
    url_from: str = ""
    secret: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    """Who is told what: ARNs of SNS topics, names or ARNs of event buses, webhooks.

    ``timeout`` bounds what telling one of them may take in all, retries included.
    """

    events: tuple[NotifiedEvent, ...] = tuple(NotifiedEvent)
    topics: tuple[str, ...] = ()
    event_buses: tuple[str, ...] = ()
    timeout: timedelta = timedelta(seconds=10)
    webhooks: tuple[WebhookTarget, ...] = ()

    @property
    def asked_for(self) -> bool:
        """Whether anybody is to be told anything."""
        return bool(self.events and (self.topics or self.event_buses or self.webhooks))


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing told. ``id`` is the same however often it is sent, so that whoever gets it twice can know.

    ``stage`` is the one that the run was asked for, or ended at; ``exit_code`` None while it works.
    """

    event: NotifiedEvent
    at: datetime
    run: Run
    stage: int
    text: str
    reasons: tuple[str, ...] = ()
    then: str = ""
    runbook: str = ""
    exit_code: ExitCode | None = None

    @property
    def id(self) -> str:
        """The run and the event: a run meets each at most once, also where it is taken up by another process."""
        return f"{self.run.id}-{self.event}"

    @property
    def title(self) -> str:
        """The notification in a line."""
        return f"{self.run.service.rpartition('/')[2]}: {self.text}"

    @property
    def document(self) -> Mapping[str, Json]:
        """The notification for programs, as documents.schema.json describes it."""
        place = self.run.service.split(":", 5)
        region, account, path = place[3:6] if len(place) > len(("arn", "aws", "ecs", "us-east-1")) + 1 else ("",) * 3
        names = path.split("/")
        return {
            "format": 1,
            "document": "notification",
            "id": self.id,
            "event": self.event.value,
            "at": self.at.isoformat(),
            "service": self.run.service,
            "name": self.run.service.rpartition("/")[2],
            "cluster": names[1] if len(names) > len(("service", "web")) else "",
            "region": region,
            "account": account,
            "run": self.run.id,
            "verb": self.run.verb,
            "stage": self.stage,
            "operator": self.run.operator,
            "host": self.run.host,
            "exit_code": None if self.exit_code is None else int(self.exit_code),
            "text": self.text,
            "reasons": [reason[:_LONGEST_REASON] for reason in self.reasons[:_MOST_REASONS]],
            "then": self.then,
            "runbook": self.runbook,
        }


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of telling one target: ``answer`` is what it calls the message, ``error`` why it was not told."""

    target: str
    answer: str = ""
    error: str = ""


_STARTS = {
    "rollback": "the way back begins",
    "finish": "the migration is being ended",
}
_GOOD_ENDS = {"rollback": NotifiedEvent.WENT_BACK, "finish": NotifiedEvent.FINISHED}
_OTHER_ENDS = {
    ExitCode.ROLLED_BACK: NotifiedEvent.ROLLED_BACK,
    ExitCode.ROLLBACK_INCOMPLETE: NotifiedEvent.ROLLBACK_INCOMPLETE,
    ExitCode.HELD: NotifiedEvent.HELD,
    ExitCode.INTERRUPTED: NotifiedEvent.INTERRUPTED,
}


def start_of(run: Run, at: datetime) -> Notification:
    """Return what is told when a run goes to work: it was not refused, and has something to do."""
    text = _STARTS.get(run.verb, f"{Stage(run.stage).named} begins")
    return Notification(NotifiedEvent.STARTED, at, run, run.stage, f"{text[0].upper()}{text[1:]}.")


def end_of(run: Run, outcome: RunOutcome, at: datetime) -> Notification:
    """Return what is told when a run has come to an outcome."""
    return Notification(
        event=_event(run, outcome.exit_code),
        at=at,
        run=run,
        stage=outcome.stage.value,
        text=outcome.text,
        reasons=outcome.reasons,
        then=outcome.then,
        runbook=outcome.runbook,
        exit_code=outcome.exit_code,
    )


def failure_of(run: Run, error: MigrateError, at: datetime) -> Notification:
    """Return what is told when an error ended a run."""
    reasons = (error.why,) if error.why else ()
    event = _event(run, error.exit_code)
    return Notification(event, at, run, run.stage, error.what, reasons, error.then, error.runbook, error.exit_code)


def _event(run: Run, code: ExitCode) -> NotifiedEvent:
    if code is ExitCode.DONE:
        return _GOOD_ENDS.get(run.verb, NotifiedEvent.STAGE_PROVEN)
    return _OTHER_ENDS.get(code, NotifiedEvent.REFUSED)
