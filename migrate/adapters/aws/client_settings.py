"""How long a call to AWS waits for its answer, and how often it is made.

Sources: botocore Config reference (connect_timeout, read_timeout, retries); AWS SDKs and Tools reference guide, "Retry
behavior": in standard mode, up to a second is waited before the second attempt.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto
from typing import Literal

from botocore.config import Config

from migrate import __version__

ATTEMPTS = 6
ATTEMPTS_WHERE_IT_HELPS = 2
"""Fewer where an answer only helps: a network without a way to IAM or to prices must not hold up every plan."""
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
_ONLY_HELPING = frozenset({"iam", "pricing"})
_ONCE = 1
"""A write whose answer got lost may have taken effect: safety.py looks before it repeats one, botocore would not."""

_ATTEMPTS_TO_NOTIFY = 2
_PAUSE_SECONDS = 1.0
_WAITS = 2
"""Of one attempt: for the connection, and for the answer."""
_ROOM_FOR_TWO = 4 * _PAUSE_SECONDS
"""Seconds below which there is no time to tell something twice."""


class Purpose(Enum):
    """What a client is for, and so what it may call."""

    READING = auto()
    SAFETY = auto()
    NOTIFYING = auto()


def client_settings(service: str, purpose: Purpose, attempts: int) -> Config:
    """Return how a client of a service waits; ``attempts`` is how often any call may be made."""
    most = ATTEMPTS_WHERE_IT_HELPS if service in _ONLY_HELPING else attempts
    made = _ONCE if purpose is Purpose.SAFETY else min(attempts, most)
    # The second line, where others use up the account's rates: it slows down by what AWS answers.
    return _config("adaptive", made, CONNECT_SECONDS, READ_SECONDS)


def notifying_settings(within: timedelta, attempts: int) -> Config:
    """Return how a client waits that tells somebody something, so that all of its waits together are ``within``.

    A way back must not be held up by somebody who is to hear of it.
    """
    seconds = within.total_seconds()
    made = min(attempts, _ATTEMPTS_TO_NOTIFY) if seconds >= _ROOM_FOR_TWO else _ONCE
    wait = (seconds - _PAUSE_SECONDS * (made - 1)) / (made * _WAITS)
    return _config("standard", made, wait, wait)


def _config(mode: Literal["standard", "adaptive"], attempts: int, connect: float, read: float) -> Config:
    return Config(
        retries={"mode": mode, "total_max_attempts": attempts},
        connect_timeout=connect,
        read_timeout=read,
        tcp_keepalive=True,
        user_agent_extra=f"ecs-migrate/{__version__}",
    )
