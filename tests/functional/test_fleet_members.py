"""What the selections of a fleet find, and what they ask AWS for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from migrate.core.documents import document
from migrate.core.facts import Account, Service
from migrate.core.fleet.definition import Fleet, FleetAccount, Selection
from migrate.core.settings import ImageSettings, ServiceSettings, Settings
from migrate.core.twin import twin_name
from migrate.errors import NotFoundError
from migrate.workflows.fleet_members import find_members
from tests.fakes.records import a_service

PRODUCTION = FleetAccount("production", role_arn="arn:aws:iam::210987654321:role/migrate", region="eu-west-1")


@dataclass
class Cluster:
    account_id: str = "123456789012"
    region: str = "us-east-1"
    found: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    def account(self) -> Account:
        return Account(self.account_id, self.region, f"arn:aws:iam::{self.account_id}:user/ana")

    def clusters(self) -> tuple[str, ...]:
        self.asked["clusters"] += 1
        return tuple(sorted(self.found))

    def service_arns(self, cluster: str) -> tuple[str, ...]:
        self.asked[f"list {cluster}"] += 1
        return tuple(self._arn(cluster, name) for name in sorted(self.found[cluster]))

    def described(self, cluster: str, names: Sequence[str]) -> tuple[Service, ...]:
        self.asked["described"] += len(names)
        return tuple(self._service(cluster, name) for name in names)

    def _arn(self, cluster: str, name: str) -> str:
        return f"arn:aws:ecs:{self.region}:{self.account_id}:service/{cluster}/{name}"

    def _service(self, cluster: str, name: str) -> Service:
        tags = [{"key": key, "value": value} for key, value in self.found[cluster][name].items()]
        return replace(a_service(), arn=self._arn(cluster, name), name=name, document=document({"tags": tags}))


@dataclass(frozen=True)
class Document:
    fleet: Fleet

    def settings(self, selection: Selection, cluster: str, service: str) -> Settings:
        return Settings(ServiceSettings(cluster, service), ImageSettings(f"from-{selection.position}"))


def found(here: Cluster, *selections: Selection, there: Cluster | None = None) -> dict[str, str]:
    placed = tuple(replace(item, position=position) for position, item in enumerate(selections))
    members = find_members(
        Document(Fleet("f", placed)), lambda account, _: there if there is not None and account.name else here
    )
    return {f"{item.region} {item.name}": item.settings.image.container for item in members}


def a_world() -> Cluster:
    return Cluster(
        found={
            "shop": {"web": {"team": "checkout"}, "api": {"team": "checkout", "tier": "1"}, "old": {}},
            "data": {"web": {}, "etl": {"team": "data"}},
        }
    )


def test_by_cluster_name_and_pattern() -> None:
    shop, anywhere = Selection(0, clusters=("shop",), exclude=("o*",)), Selection(1, names=("data/*",))
    assert found(a_world(), shop, anywhere) == {
        "us-east-1 shop/api": "from-0",
        "us-east-1 shop/web": "from-0",
        "us-east-1 data/etl": "from-1",
        "us-east-1 data/web": "from-1",
    }


def test_by_tag_and_only_what_may_match_is_asked_for_its_tags() -> None:
    world = a_world()
    assert found(world, Selection(0, clusters=("shop",), tags=(("team", "check*"),), exclude=("old",))) == {
        "us-east-1 shop/api": "from-0",
        "us-east-1 shop/web": "from-0",
    }
    assert world.asked["described"] == 2
    assert world.asked["clusters"] == 0


def test_a_service_that_two_selections_find_belongs_to_the_first_and_a_cluster_is_listed_once() -> None:
    world = a_world()
    first = found(world, Selection(0, names=("web",)), Selection(1, names=("*",)))
    assert first["us-east-1 shop/web"] == "from-0"
    assert first["us-east-1 shop/old"] == "from-1"
    assert world.asked["list shop"] == 1


def test_accounts_and_regions_are_told_apart() -> None:
    there = Cluster("210987654321", "eu-west-1", {"shop": {"web": {}}})
    both = found(
        a_world(), Selection(0, names=("shop/web",)), Selection(1, account=PRODUCTION, names=("web",)), there=there
    )
    assert both == {"us-east-1 shop/web": "from-0", "eu-west-1 shop/web": "from-1"}


def test_a_twin_of_ours_is_no_member_but_a_service_that_is_only_called_so_is() -> None:
    world = Cluster(found={"shop": {"web": {}, twin_name("web"): {}, twin_name("gone"): {}}})
    assert list(found(world, Selection(0, clusters=("shop",)))) == [
        f"us-east-1 shop/{twin_name('gone')}",
        "us-east-1 shop/web",
    ]


def test_a_fleet_of_nothing_is_refused() -> None:
    with pytest.raises(NotFoundError, match="No service belongs to the fleet f"):
        found(a_world(), Selection(0, names=("wbe",)))
