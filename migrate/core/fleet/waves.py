"""Which member goes in which wave."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from migrate.core.fleet.definition import Fleet, Member, Wave, matches_service

LAST = "the rest"
ONLY = "all"


def in_waves(fleet: Fleet, members: Sequence[Member]) -> tuple[tuple[str, tuple[Member, ...]], ...]:
    """Return the waves that have members, by name and in order; every member is in one, and in one only.

    A share is taken across the fleet, not from its beginning: members are drawn by a hash of their ARN, so that the
    same fleet always gives the same waves, and a first tenth does not mean one cluster.
    """
    left = sorted(members, key=lambda member: member.arn)
    found: list[tuple[str, tuple[Member, ...]]] = []
    for wave in fleet.waves:
        taken = _taken(wave, left, len(members))
        left = [member for member in left if member not in taken]
        found.append((wave.name, taken))
    found.append((LAST if fleet.waves else ONLY, tuple(left)))
    return tuple((name, taken) for name, taken in found if taken)


def _taken(wave: Wave, left: Sequence[Member], whole: int) -> tuple[Member, ...]:
    if wave.share is not None:
        drawn = sorted(left, key=lambda member: hashlib.sha256(member.arn.encode()).digest())
        chosen = {member.arn for member in drawn[: max(1, math.ceil(whole * wave.share / 100))]}
        return tuple(member for member in left if member.arn in chosen)
    return tuple(
        member
        for member in left
        if any(matches_service(pattern, member.cluster, member.service) for pattern in wave.services)
    )
