from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.core.facts import StrategyItem
from migrate.core.findings import Grade
from migrate.core.observation import Observation
from migrate.core.preflight.capacity import capacity_findings
from migrate.core.surroundings import MISSING, CapacityProvider, ProviderKind, Surroundings
from tests.fakes import facts
from tests.fakes.surroundings import PROVIDER, found, grades, group, instance, machines, provider, to_graviton


def seen(*, of: CapacityProvider) -> Observation:
    return facts.observation(surroundings=machines(group(), *(instance(n) for n in range(4)), of=of))


@pytest.mark.parametrize(
    ("status", "code", "grade"),
    [
        ("INACTIVE", "capacity-provider.inactive", Grade.BLOCK),
        ("DEPROVISIONING", "capacity-provider.inactive", Grade.BLOCK),
        ("PROVISIONING", "capacity-provider.provisioning", Grade.WARN),
    ],
)
def test_c52_a_provider_that_is_not_active_is_told_by_its_status(status: str, code: str, grade: Grade) -> None:
    told = found(seen(of=provider(status=status)), to_graviton())[code]
    assert (told.grade, told.stage) == (grade, 3)
    assert told.evidence == ((PROVIDER, status),)


@pytest.mark.parametrize(
    ("update", "grade"),
    [
        ("UPDATE_COMPLETE", None),
        ("CREATE_COMPLETE", None),
        ("UPDATE_IN_PROGRESS", Grade.WARN),
        ("UPDATE_FAILED", Grade.WARN),
        ("DELETE_FAILED", Grade.WARN),
        ("DELETE_IN_PROGRESS", Grade.BLOCK),
    ],
)
def test_c52_a_change_that_failed_or_runs_is_told(update: str, grade: Grade | None) -> None:
    told = found(seen(of=provider(update_status=update, update_reason="no role")), to_graviton())
    code = "capacity-provider.update"
    assert (told[code].grade if code in told else None) is grade
    assert grade is None or "no role" in told[code].text


def test_a_provider_that_is_not_in_the_cluster_yet_is_associated_by_stage_0() -> None:
    def told(status: str) -> dict[str, Grade]:
        return {item.code: item.grade for item in capacity_findings(seen(of=provider(status=status)), to_graviton())}

    assert told("ACTIVE") == {"cluster.provider-missing": Grade.INFO}
    assert told(MISSING) == {"cluster.provider-unknown": Grade.BLOCK}


def test_an_active_provider_with_room_says_nothing() -> None:
    assert found(seen(of=provider()), to_graviton()) == {}


def test_a_service_that_stays_on_fargate_is_not_asked_about_its_cluster_s_machines() -> None:
    assert found(seen(of=provider(status="INACTIVE"))) == {}


def test_the_provider_that_the_service_is_on_matters_from_stage_2_on() -> None:
    on_group = facts.service(strategy=(StrategyItem(PROVIDER, weight=1),))
    observed = replace(seen(of=provider(status="INACTIVE")), service=on_group)
    assert found(observed)["capacity-provider.inactive"].stage == 2


def test_kinds_of_provider_are_never_mixed_in_one_strategy() -> None:
    mixed = replace(facts.settings(), capacity=(StrategyItem("FARGATE", weight=1), StrategyItem(PROVIDER, weight=1)))
    told = found(seen(of=provider()), mixed)["capacity-provider.mixed-kinds"]
    assert (told.grade, told.stage) == (Grade.BLOCK, 3)
    assert told.evidence == (("FARGATE", "Fargate"), (PROVIDER, "Auto Scaling group"))
    # Also where the provider itself could not be read: its name says that it is not Fargate's.
    assert "capacity-provider.mixed-kinds" in found(facts.observation(), mixed)


def test_managed_instances_are_not_judged_and_not_mixed_with_groups() -> None:
    own = CapacityProvider("managed", kind=ProviderKind.MANAGED_INSTANCES)
    around = Surroundings(capacity_providers=(own, provider()), container_instances=())
    alone = replace(facts.settings(), capacity=(StrategyItem("managed", weight=1),))
    assert grades(facts.observation(surroundings=around), alone) == {
        "capacity-provider.managed-instances": Grade.UNKNOWN
    }
    both = replace(alone, capacity=(*alone.capacity, StrategyItem(PROVIDER, weight=1)))
    assert "capacity-provider.mixed-kinds" in found(facts.observation(surroundings=around), both)


def test_the_cluster_s_default_strategy_is_told_and_recognised_in_the_service() -> None:
    observed = facts.observation()
    cluster = replace(observed.cluster, default_strategy=facts.SPOT)
    told = found(replace(observed, cluster=cluster))["cluster.default-strategy"]
    assert told.grade is Grade.INFO
    assert "same one" not in told.text
    same = replace(observed, cluster=cluster, service=facts.service(strategy=tuple(reversed(facts.SPOT))))
    assert "same one" in found(same)["cluster.default-strategy"].text
