"""Preflight of automatic scaling: who else sets the number of tasks, and when it reaches zero (cases C35, C47)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.schedules import next_time
from migrate.core.settings import Settings
from migrate.core.surroundings import ScalableTarget, ScheduledAction

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def scaling_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what automatic scaling does to the number of tasks while stages are applied and watched."""
    target = observation.surroundings.scalable_target
    if target is None:
        return
    yield _owner(observation, target)
    yield from _suspended(observation, target)
    times = {action: coming(action, observation.taken_at) for action in observation.surroundings.scheduled_actions}
    if target.scheduled_suspended:
        return
    yield from _soon(times, observation.taken_at, settings.gate.deadline)
    yield from _to_zero(observation, target, times)
    yield from _untold(times, observation.taken_at)


def coming(action: ScheduledAction, after: datetime) -> datetime | None:
    """Return when an action comes next, in UTC; None where it never does again or the schedule cannot be told.

    A start time is itself the first time (Application Auto Scaling user guide, "Scheduled scaling").
    """
    if action.starts_at is not None and action.starts_at > after:
        return action.starts_at
    found = next_time(action.schedule, action.timezone, after, action.starts_at)
    return None if found and action.ends_at and found > action.ends_at else found


def _over(action: ScheduledAction, after: datetime) -> bool:
    """Tell whether an action is known never to come again."""
    if coming(action, after) is not None:
        return False
    ended = action.ends_at is not None and action.ends_at <= after
    return ended or (action.schedule.startswith("at(") and coming(action, _LONG_AGO) is not None)


def _owner(observation: Observation, target: ScalableTarget) -> Finding:
    policies = observation.surroundings.scaling_policies
    names = ", ".join(f"{item.name} ({item.kind})" for item in policies) or "no policy, scheduled actions at most"
    return finding(
        "scaling.desired-count",
        Grade.INFO,
        0,
        f"Automatic scaling keeps the desired count, now {observation.service.desired_count}, between "
        f"{target.minimum} and {target.maximum}: {names}.",
        "Nothing to do: no stage sets the desired count, and gates read it anew at every look.",
        (("scalable target", f"{target.minimum} to {target.maximum}"), *((item.name, item.kind) for item in policies)),
    )


def _suspended(observation: Observation, target: ScalableTarget) -> Iterator[Finding]:
    kinds = {
        "scaling out": target.scale_out_suspended,
        "scaling in": target.scale_in_suspended,
        "scheduled actions": target.scheduled_suspended,
    }
    stopped = [name for name, on in kinds.items() if on]
    if stopped:
        yield finding(
            "scaling.suspended",
            Grade.WARN if target.scale_out_suspended else Grade.INFO,
            0,
            f"Suspended: {', '.join(stopped)}. The service stays at {observation.service.desired_count} tasks, whoever "
            "suspended it and whatever it needs.",
            "If a tool that was interrupted left it so, resume it; this tool neither suspends nor resumes.",
            tuple((name, "suspended" if on else "active") for name, on in kinds.items()),
        )


def _soon(times: dict[ScheduledAction, datetime | None], now: datetime, deadline: timedelta) -> Iterator[Finding]:
    """Yield actions that come while a stage that starts now may still be watched."""
    soon = [(action, at) for action, at in times.items() if at is not None and at <= now + deadline]
    if soon:
        shown = "; ".join(f"{_change(action)} at {_shown(at)}" for action, at in sorted(soon, key=lambda pair: pair[1]))
        yield finding(
            "scaling.scheduled-soon",
            Grade.WARN,
            0,
            f"A scheduled action changes the number of tasks before a gate that starts now is over: {shown}.",
            "Start the stage when it is through, or move it; a count that falls to 0 holds the gate.",
            tuple((action.name, action.schedule) for action, _ in soon),
        )


def _to_zero(
    observation: Observation, target: ScalableTarget, times: dict[ScheduledAction, datetime | None]
) -> Iterator[Finding]:
    """Yield that the service goes to zero by a schedule, and when it comes back (case C47)."""
    live = [action for action in times if not _over(action, observation.taken_at)]
    downs = [action for action in live if action.maximum == 0]
    if not downs and target.maximum and observation.service.desired_count:
        return
    ups = [(at, action) for action, at in times.items() if action.minimum and at is not None]
    back = min(ups, key=lambda pair: pair[0], default=None)
    then = f" It comes back with {_change(back[1])} at {_shown(back[0])}." if back else " No action raises it again."
    by = ", ".join(action.name for action in downs)
    text = f"The schedule takes the service to 0 tasks ({by})." if by else "The service is at 0 tasks."
    yield finding(
        "scaling.to-zero",
        Grade.WARN,
        0,
        text + then,
        "Apply stages while tasks run: a gate without tasks is held, and what starts the next day is unproven until "
        "then. Nothing here raises the desired count.",
        tuple((action.name, f"{action.schedule} {action.timezone}") for action in (*downs, *(item for _, item in ups))),
    )


def _untold(times: dict[ScheduledAction, datetime | None], now: datetime) -> Iterator[Finding]:
    """Yield schedules whose next time cannot be told: a rate without a start, or an expression not known here."""
    unclear = [action for action, at in times.items() if at is None and not _over(action, now)]
    if unclear:
        names = ", ".join(action.name for action in unclear)
        yield finding(
            "scaling.schedule-undecided",
            Grade.UNKNOWN,
            0,
            f"When {names} comes next could not be told from the schedule.",
            "Look when it is due, and apply no stage over it.",
            tuple((action.name, f"{action.schedule} {action.timezone}") for action in unclear),
        )


def _change(action: ScheduledAction) -> str:
    parts = (("at least", action.minimum), ("at most", action.maximum))
    return f"{action.name} ({', '.join(f'{word} {value}' for word, value in parts if value is not None)})"


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
