"""A fleet: many services that are moved by one set of rules; migrate/config reads it from fleet.toml.

Which services belong to it is known only once AWS was asked (by name, tag, cluster): a Selection says what to look
for, a Member is what was found, with everything that a run on that one service needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from migrate.core.settings import Settings


@dataclass(frozen=True, slots=True)
class FleetAccount:
    """How one AWS account is reached: with the caller's own credentials, a profile of theirs, or a role to assume.

    ``name`` is what fleet.toml calls it, empty for the caller's own. ``role_arn`` is assumed with the credentials of
    ``profile`` (or the environment), and ``external_id`` if the role's trust policy asks for one (STS AssumeRole).
    ``region`` is where its services are, unless a selection says otherwise; None leaves it to the environment.
    """

    name: str = ""
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Services to look for; a service has to satisfy all of it. ``position`` is its place in fleet.toml, from 0.

    ``clusters`` are names or ARNs; empty for every cluster of the region. ``names`` and ``exclude`` are patterns
    with ``*`` and ``?`` (matches_service); without ``names`` every service counts. ``tags`` are tags of the service,
    name and pattern of the value.
    """

    position: int
    account: FleetAccount = FleetAccount()
    region: str | None = None
    clusters: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    exclude: tuple[str, ...] = ()

    def named(self, cluster: str, service: str) -> bool:
        """Tell whether the selection wants a service of one of its clusters, as far as its name goes."""
        named = not self.names or any(matches_service(pattern, cluster, service) for pattern in self.names)
        return named and not any(matches_service(pattern, cluster, service) for pattern in self.exclude)

    def tagged(self, tags: Mapping[str, str]) -> bool:
        """Tell whether a service with these tags has all that the selection wants."""
        return all(name in tags and fnmatchcase(tags[name], pattern) for name, pattern in self.tags)


@dataclass(frozen=True, slots=True)
class Member:
    """One service of the fleet. ``arn`` is what it is known by; ``settings`` are those of this one service."""

    arn: str
    account: FleetAccount
    account_id: str
    region: str
    cluster: str
    service: str
    settings: Settings

    @property
    def name(self) -> str:
        """The member as people say it: ``cluster/service``."""
        return f"{self.cluster}/{self.service}"


@dataclass(frozen=True, slots=True)
class Wave:
    """Members that go together: those that match ``services``, or ``share`` percent of the fleet, at least one.

    Waves are filled in order, each from what the ones before it left; what no wave takes goes last.
    """

    name: str
    services: tuple[str, ...] = ()
    share: int | None = None


@dataclass(frozen=True, slots=True)
class StopRules:
    """When no further member is started.

    ``failure_limit`` is how many members of a run may fail; one more, and no further one starts (those that run go
    on to their end). ``hold_between_waves``: a person says when the next wave begins.
    """

    failure_limit: int = 0
    hold_between_waves: bool = True


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many members are worked on at the same time, over all workers: of one cluster, and of one account."""

    cluster: int = 1
    account: int = 4


@dataclass(frozen=True, slots=True)
class Fleet:
    """What an operator decides for many services. ``name`` tells its runs apart from those of other fleets."""

    name: str
    selections: tuple[Selection, ...]
    waves: tuple[Wave, ...] = ()
    stop: StopRules = StopRules()
    concurrency: Concurrency = Concurrency()


def matches_service(pattern: str, cluster: str, service: str) -> bool:
    """Tell whether ``pattern`` (``web``, ``api-*``, ``shop/web``, ``shop/*``) means the service of the cluster."""
    return fnmatchcase(f"{cluster}/{service}" if "/" in pattern else service, pattern)
