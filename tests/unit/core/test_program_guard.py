from __future__ import annotations

from typing import Any

import pytest

from migrate.core.owner.program_guard import OwnResources, ProgramStep, judged, own_resources
from migrate.core.stack.preview import (
    CLUSTER_PROVIDERS,
    IMAGE,
    INDEX,
    SERVICE,
    TASK_DEFINITION,
    Act,
    Preview,
    ResourceChange,
    violations,
)
from tests.fakes.records import REGISTRY, SERVICE_ARN, a_record

OWN = own_resources(a_record(), image=True)
BUCKET, COMPONENT, PROVIDER = "aws:s3/bucket:Bucket", "migrate:components:StagedEcsService", "pulumi:providers:aws"
DEFINITION = {"family": "web", "cpu": "256", "containerDefinitions": "[]"}
ARM64 = {**DEFINITION, "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}}
CHANGING = ["create", "update", "delete", "replace", "create-replacement", "delete-replaced", "import", "discard"]


def step(kind: str, operation: str, *properties: str, name: str = "it", **known: Any) -> ProgramStep:
    return ProgramStep(ResourceChange(f"urn:{name}", kind, name, operation, properties), **known)


def refused(act: Act, *steps: ProgramStep, own: OwnResources = OWN) -> tuple[str, ...]:
    return violations(Preview("service", judged(steps, own)), act)


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("operation", CHANGING)
@pytest.mark.parametrize(
    "foreign",
    [
        {"kind": BUCKET},
        {"kind": SERVICE, "id": f"{SERVICE_ARN}-2"},
        {"kind": TASK_DEFINITION, "id": "jobs", "held": {"family": "jobs"}, "kept": True},
        {"kind": INDEX, "wanted": {"tag": f"{REGISTRY}/jobs:tag1"}},
        {"kind": IMAGE, "wanted": {"tags": ["localhost:5000/web"]}},
        {"kind": CLUSTER_PROVIDERS, "id": "demo"},
    ],
    ids=lambda known: str(known["kind"]),
)
def test_nothing_foreign_may_change_in_any_way(act: Act, operation: str, foreign: dict[str, Any]) -> None:
    kind, known = foreign["kind"], {name: value for name, value in foreign.items() if name != "kind"}
    (told,) = refused(act, step(kind, operation, **known))
    assert "it is none of the service's" in told


def test_what_stays_and_what_is_an_entry_in_the_state_is_no_change() -> None:
    steps = [
        step(BUCKET, "same"),
        step(COMPONENT, "create", custom=False),
        step(PROVIDER, "create", name="default_7_1_0"),
        step(PROVIDER, "delete", name="default_7_0_0"),
    ]
    assert refused(Act.ADOPT, *steps) == ()
    assert Preview("service", judged(steps, OWN)).changes == ()


def test_a_provider_of_the_teams_must_not_move_its_resources_elsewhere() -> None:
    assert refused(Act.SERVICE, step(PROVIDER, "update", name="frankfurt"))
    assert refused(Act.SERVICE, step(COMPONENT, "delete", custom=False))


def test_an_adoption_changes_nothing_of_the_service_either() -> None:
    own: Any = {"id": SERVICE_ARN}
    assert refused(Act.ADOPT, step(SERVICE, "same", **own)) == ()
    assert refused(Act.ADOPT, step(SERVICE, "update", "capacityProviderStrategies", **own))
    assert refused(Act.ADOPT, step(TASK_DEFINITION, "update", "skipDestroy", id="web"))


def test_a_service_moves_in_what_a_stage_changes_and_in_nothing_else() -> None:
    own: Any = {"id": SERVICE_ARN}
    moved = step(SERVICE, "update", "taskDefinition", "triggers", "forceNewDeployment", **own)
    assert refused(Act.SERVICE, moved) == ()
    assert refused(Act.SERVICE, step(SERVICE, "update", "desiredCount", **own))
    assert refused(Act.SERVICE, step(SERVICE, "replace", "launchType", **own))


@pytest.mark.parametrize("operation", ["replace", "create-replacement", "delete-replaced"])
def test_a_revision_may_be_replaced_where_the_old_one_stays(operation: str) -> None:
    own: Any = {"id": "web", "held": DEFINITION, "wanted": ARM64}
    properties = ("runtimePlatform",) if operation != "delete-replaced" else ()
    assert refused(Act.SERVICE, step(TASK_DEFINITION, operation, *properties, **own, kept=True)) == ()
    (told,) = refused(Act.SERVICE, step(TASK_DEFINITION, operation, *properties, **own))
    assert "would be de-registered" in told


def test_a_new_revision_differs_in_its_platform_alone() -> None:
    own: Any = {"id": "web", "held": DEFINITION}
    other = {**ARM64, "containerDefinitions": '[{"image":"other"}]'}
    replaced = step(TASK_DEFINITION, "replace", "containerDefinitions", "runtimePlatform", **own, kept=True)
    (told,) = refused(Act.SERVICE, replaced)
    assert "differ in containerDefinitions" in told
    there = step(TASK_DEFINITION, "same", **own)
    assert refused(Act.SERVICE, there, step(TASK_DEFINITION, "create", name="arm64", wanted=ARM64)) == ()
    (told,) = refused(Act.SERVICE, there, step(TASK_DEFINITION, "create", name="arm64", wanted=other))
    assert "differ in containerDefinitions" in told


def test_the_image_is_the_services_where_the_program_holds_it() -> None:
    index = step(INDEX, "create", wanted={"tag": f"{REGISTRY}/web:migrate-index-tag1"})
    export = {"registry": {"names": [f"{REGISTRY}/web"]}}
    image = step(IMAGE, "create", wanted={"exports": [export]})
    assert refused(Act.SHELVE_INDEX, index, image) == ()
    assert len(refused(Act.SHELVE_INDEX, index, image, own=own_resources(a_record(), image=False))) == 2
    assert refused(Act.SERVICE, image)
