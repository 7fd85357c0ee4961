from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.core.desired_state import ClusterInputs, ServiceInputs, ServiceStackInputs, TaskDefinitionInputs
from migrate.core.documents import document
from migrate.core.facts import StrategyItem
from migrate.core.twin import TwinInputs
from stacks.service.program import declare_service_stack
from tests.unit.stacks.recording import Requested, requested_by

CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/demo"
FAMILY = "arn:aws:ecs:eu-west-1:123456789012:task-definition/app"
DEFINITION = TaskDefinitionInputs(
    "task-definition",
    document({"family": "app", "containerDefinitions": [{"name": "app"}]}),
    (),
    import_arn=f"{FAMILY}:1",
    keep=False,
)
ARM64 = TaskDefinitionInputs(
    "task-definition-arm64",
    document({"family": "app", "containerDefinitions": [{"name": "app"}]}),
    (),
    import_arn=None,
    keep=True,
)
SERVICE = ServiceInputs(
    cluster_arn=CLUSTER,
    name="app",
    arn="arn:aws:ecs:eu-west-1:123456789012:service/demo/app",
    document=document({"deploymentConfiguration": {"maximumPercent": 200}}),
    task_definition="task-definition",
    launch_type="FARGATE",
    strategy=(),
    force_new_deployment=False,
    triggers=(),
)
ADOPTION = ServiceStackInputs(adopt=True, cluster=None, task_definitions=(DEFINITION,), service=SERVICE)
SPOT = (StrategyItem("FARGATE", weight=1, base=1), StrategyItem("FARGATE_SPOT", weight=3))
STAGE_3 = ServiceStackInputs(
    adopt=False,
    cluster=ClusterInputs("demo", ("FARGATE", "FARGATE_SPOT"), (StrategyItem("FARGATE", weight=1),)),
    task_definitions=(replace(DEFINITION, keep=True), ARM64),
    service=replace(
        SERVICE,
        task_definition="task-definition-arm64",
        launch_type=None,
        strategy=SPOT,
        force_new_deployment=True,
        triggers=(("image-digest", "sha256:1"),),
    ),
)
ANSWERS = {"task-definition": {"arn": f"{FAMILY}:1"}, "task-definition-arm64": {"arn": f"{FAMILY}:2"}}


def _requested(inputs: ServiceStackInputs) -> dict[str, Requested]:
    return requested_by(lambda: declare_service_stack(inputs), ANSWERS)


def test_adoption_imports_the_service_and_its_revision() -> None:
    requested = _requested(ADOPTION)
    assert requested["service"].import_id == "demo/app"
    assert requested["task-definition"].import_id == f"{FAMILY}:1"


def test_adoption_carries_nothing_that_an_import_must_not() -> None:
    requested = _requested(ADOPTION)
    strange = {"skipDestroy", "forceNewDeployment", "triggers", "capacityProviderStrategies", "desiredCount"}
    assert not strange & {*requested["service"].inputs, *requested["task-definition"].inputs}
    assert requested["service"].inputs["launchType"] == "FARGATE"


def test_after_the_adoption_nothing_is_imported_again() -> None:
    assert {item.import_id for item in _requested(STAGE_3).values()} == {""}


def test_c34_references_are_written_as_an_import_reads_them() -> None:
    service = _requested(ADOPTION)["service"].inputs
    assert (service["cluster"], service["taskDefinition"]) == (CLUSTER, "app:1")


def test_c32_revisions_are_kept() -> None:
    requested = _requested(STAGE_3)
    assert all(requested[name].inputs["skipDestroy"] for name in ANSWERS)
    assert all(requested[name].retained for name in ANSWERS)


def test_c35_the_desired_count_is_ignored() -> None:
    assert _requested(STAGE_3)["service"].ignore_changes == ("desiredCount",)


def test_c37_the_strategy_is_written_out_with_a_forced_deployment_and_without_a_launch_type() -> None:
    service = _requested(STAGE_3)["service"].inputs
    assert service["capacityProviderStrategies"] == [
        {"capacityProvider": "FARGATE", "base": 1.0, "weight": 1.0},
        {"capacityProvider": "FARGATE_SPOT", "base": 0.0, "weight": 3.0},
    ]
    assert service["forceNewDeployment"] is True
    assert "launchType" not in service


def test_c39_a_new_digest_behind_the_same_tag_triggers_a_deployment() -> None:
    assert _requested(STAGE_3)["service"].inputs["triggers"] == {"image-digest": "sha256:1"}


def test_the_gate_decides_not_pulumi() -> None:
    assert "waitForSteadyState" not in _requested(STAGE_3)["service"].inputs


@pytest.mark.parametrize("name", ["service", "cluster"])
def test_service_and_cluster_can_be_neither_replaced_nor_deleted(name: str) -> None:
    requested = _requested(STAGE_3)[name]
    assert requested.protected
    assert requested.retained


def test_the_cluster_keeps_the_providers_it_has() -> None:
    cluster = _requested(STAGE_3)["cluster"].inputs
    assert cluster["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert cluster["defaultCapacityProviderStrategies"] == [{"capacityProvider": "FARGATE", "base": 0.0, "weight": 1.0}]


def test_the_cluster_is_imported_with_the_service() -> None:
    assert _requested(replace(STAGE_3, adopt=True))["cluster"].import_id == "demo"


TWIN_INPUTS = TwinInputs(CLUSTER, "app-migrate-arm64", SERVICE.document, "task-definition-arm64", None, SPOT, 2)


def test_a_twin_has_the_settings_of_the_service_and_its_own_name_revision_and_count() -> None:
    requested = _requested(replace(STAGE_3, twin=TWIN_INPUTS))
    twin, service = requested["twin"].inputs, requested["service"].inputs
    assert (twin["name"], twin["desiredCount"], twin["forceDelete"]) == ("app-migrate-arm64", 2, True)
    assert twin["taskDefinition"] == "app:2"
    assert twin["deploymentMaximumPercent"] == service["deploymentMaximumPercent"]
    assert twin["capacityProviderStrategies"] == service["capacityProviderStrategies"]
    assert requested["twin"].import_id == ""


def test_the_twin_alone_may_go_again_and_nothing_else_can() -> None:
    requested = _requested(replace(STAGE_3, twin=TWIN_INPUTS))
    kept = {name for name, item in requested.items() if item.retained}
    assert kept == set(requested) - {"twin"}
    assert not requested["twin"].protected
    assert requested["service"].protected


def test_without_a_twin_in_the_inputs_there_is_none() -> None:
    assert "twin" not in _requested(STAGE_3)
