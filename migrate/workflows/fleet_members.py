"""Which services a fleet is made of: what its selections find, each with the settings that are its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from migrate.core.documents import fields
from migrate.core.facts import Service
from migrate.core.fleet.definition import Fleet, FleetAccount, Member, Selection
from migrate.core.settings import Settings
from migrate.core.twin import is_twin
from migrate.errors import NotFoundError
from migrate.fleet_ports import FleetReader

ReaderOf = Callable[[FleetAccount, str | None], FleetReader]
"""Returns what looks into an account and a region; None is the account's own, or that of the environment."""


class SettingsOf(Protocol):
    """Where the settings of a service come from: a fleet.toml that was read."""

    @property
    def fleet(self) -> Fleet:
        """The fleet."""
        ...

    def settings(self, selection: Selection, cluster: str, service: str) -> Settings:
        """Return the settings of one service."""
        ...


def find_members(document: SettingsOf, reader_of: ReaderOf) -> tuple[Member, ...]:
    """Return the members, sorted by ARN; a service that several selections find belongs to the first of them.

    A cluster is listed once for all selections that look into it, and only tags are asked for service by service, ten
    a call. A twin of ours is no member: it goes with its service. Raises NotFoundError where a cluster does not
    exist or nothing is found, SettingsError where a service lacks a setting.
    """
    found: dict[str, Member] = {}
    search = _Search(reader_of)
    for selection in document.fleet.selections:
        reader = search.reader(selection)
        account = reader.account()
        for cluster, arn in search.services(selection):
            service = arn.rpartition("/")[2]
            if arn not in found:
                settings = document.settings(selection, cluster, service)
                found[arn] = Member(
                    arn, selection.account, account.account_id, account.region, cluster, service, settings
                )
    if not found:
        raise NotFoundError(
            f"No service belongs to the fleet {document.fleet.name}.",
            why="Its [[services]] match none that there is.",
            then="Correct clusters, names, tags or region in fleet.toml.",
        )
    return tuple(found[arn] for arn in sorted(found))


class _Search:
    """Listings of clusters, each made once."""

    def __init__(self, reader_of: ReaderOf) -> None:
        self._reader_of = reader_of
        self._readers: dict[tuple[FleetAccount, str | None], FleetReader] = {}
        self._listed: dict[tuple[int, str], tuple[str, ...]] = {}

    def reader(self, selection: Selection) -> FleetReader:
        place = selection.account, selection.region or selection.account.region
        if place not in self._readers:
            self._readers[place] = self._reader_of(*place)
        return self._readers[place]

    def services(self, selection: Selection) -> Iterator[tuple[str, str]]:
        """Yield cluster and ARN of what a selection wants."""
        reader = self.reader(selection)
        for given in selection.clusters or reader.clusters():
            cluster = given.rpartition("/")[2]
            arns = self._arns(reader, given, cluster)
            named = [arn for arn in arns if selection.named(cluster, arn.rpartition("/")[2])]
            names = {arn.rpartition("/")[2] for arn in arns}
            named = [arn for arn in named if not is_twin(arn.rpartition("/")[2], names)]
            if selection.tags:
                named = list(_tagged(selection, reader, given, named))
            yield from ((cluster, arn) for arn in named)

    def _arns(self, reader: FleetReader, given: str, cluster: str) -> tuple[str, ...]:
        key = id(reader), cluster
        if key not in self._listed:
            self._listed[key] = reader.service_arns(given)
        return self._listed[key]


def _tagged(selection: Selection, reader: FleetReader, cluster: str, arns: Iterable[str]) -> Iterator[str]:
    names = [arn.rpartition("/")[2] for arn in arns]
    for service in reader.described(cluster, names) if names else ():
        if selection.tagged(_tags(service)):
            yield service.arn


def _tags(service: Service) -> Mapping[str, str]:
    tags: Any = fields(service.document).get("tags") or []
    return {str(tag.get("key", "")): str(tag.get("value", "")) for tag in tags}
