"""Numbered changes of the tables, each applied once and in order; what was released is never edited.

A new one needs the rows of the version before it in tests/contracts/state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from migrate.adapters.store.migrations import m001_first_tables, m002_fleets, m003_fencing, m004_rate_limits


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from version ``number - 1`` of the tables to ``number``."""

    number: int
    name: str
    apply: Callable[[Connection], None]


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "first tables", m001_first_tables.apply),
    Migration(2, "fleets", m002_fleets.apply),
    Migration(3, "tokens and heartbeats of claims", m003_fencing.apply),
    Migration(4, "rate limits", m004_rate_limits.apply),
)
