"""What the repository of the scripted world knows beside its manifests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from migrate.core.repository.guarding import PullThroughCache


@dataclass
class EcrState:
    """Times and states by digest; ``denied`` are the IAM actions that the operator may not do."""

    lifecycle_policy: str | None = None
    pull_through: tuple[PullThroughCache, ...] = ()
    replicated_to: tuple[str, ...] = ()
    pushed_at: dict[str, datetime] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
