from __future__ import annotations

import pytest

from migrate.core.stack.preview import (
    CLUSTER_PROVIDERS,
    IMAGE,
    INDEX,
    SERVICE,
    TASK_DEFINITION,
    Act,
    Preview,
    ResourceChange,
    StackOutcome,
    violations,
)
from migrate.core.twin import TWIN

DESTRUCTIVE = ["replace", "delete", "create-replacement", "delete-replaced", "discard", "discard-replaced"]
CLUSTER, REPOSITORY = "aws:ecs/cluster:Cluster", "aws:ecr/repository:Repository"


def refused(act: Act, kind: str, operation: str, *properties: str) -> bool:
    change = ResourceChange(f"urn:{kind}", kind, "it", operation, properties)
    return bool(violations(Preview("service", (change,)), act))


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("kind", [SERVICE, CLUSTER, REPOSITORY, IMAGE, INDEX, CLUSTER_PROVIDERS])
@pytest.mark.parametrize("operation", DESTRUCTIVE)
def test_c30_c34_c37_no_act_may_replace_or_delete_what_lives(act: Act, kind: str, operation: str) -> None:
    assert refused(act, kind, operation)


@pytest.mark.parametrize("act", list(Act))
def test_nothing_may_ever_delete_a_task_definition(act: Act) -> None:
    assert refused(act, TASK_DEFINITION, "delete")
    assert refused(act, TASK_DEFINITION, "discard")


@pytest.mark.parametrize(
    ("act", "kind", "operation", "properties"),
    [
        (Act.ADOPT, SERVICE, "import", ()),
        (Act.ADOPT, TASK_DEFINITION, "import", ()),
        (Act.BASELINE, SERVICE, "update", ("capacityProviderStrategies", "forceNewDeployment", "launchType")),
        (Act.BASELINE, CLUSTER_PROVIDERS, "update", ("capacityProviders",)),
        (Act.SHELVE_INDEX, IMAGE, "create", ()),
        (Act.SHELVE_INDEX, INDEX, "create", ()),
        (Act.PUBLISH_INDEX, INDEX, "update", ("tag",)),
        (Act.SERVICE, TASK_DEFINITION, "create", ()),
        (Act.SERVICE, TASK_DEFINITION, "replace", ("containerDefinitions",)),
        (Act.SERVICE, SERVICE, "update", ("taskDefinition", "triggers")),
        (Act.ORIGINAL, SERVICE, "update", ("forceNewDeployment", "triggers")),
    ],
)
def test_an_act_may_do_its_own_business(act: Act, kind: str, operation: str, properties: tuple[str, ...]) -> None:
    assert not refused(act, kind, operation, *properties)


@pytest.mark.parametrize(
    ("act", "kind", "operation", "properties"),
    [
        (Act.ADOPT, SERVICE, "update", ("forceNewDeployment",)),
        (Act.ADOPT, SERVICE, "create", ()),
        (Act.ADOPT, TASK_DEFINITION, "create", ()),
        (Act.BASELINE, SERVICE, "update", ("desiredCount",)),
        (Act.BASELINE, SERVICE, "create", ()),
        (Act.BASELINE, TASK_DEFINITION, "create", ()),
        (Act.BASELINE, CLUSTER_PROVIDERS, "update", ("defaultCapacityProviderStrategies",)),
        (Act.SHELVE_INDEX, SERVICE, "update", ("taskDefinition",)),
        (Act.PUBLISH_INDEX, IMAGE, "create", ()),
        (Act.PUBLISH_INDEX, IMAGE, "update", ("context",)),
        (Act.SERVICE, SERVICE, "update", ("networkConfiguration",)),
        (Act.SERVICE, IMAGE, "update", ("tags",)),
        (Act.ORIGINAL, SERVICE, "update", ("launchType",)),
    ],
)
def test_an_act_may_not_do_another_ones_business(
    act: Act, kind: str, operation: str, properties: tuple[str, ...]
) -> None:
    assert refused(act, kind, operation, *properties)


@pytest.mark.parametrize("act", list(Act))
def test_a_type_that_nobody_thought_of_is_refused(act: Act) -> None:
    assert refused(act, "aws:iam/role:Role", "create")


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("operation", ["same", "read", "refresh"])
def test_what_stays_is_no_change(act: Act, operation: str) -> None:
    assert not refused(act, SERVICE, operation)


def test_the_stack_itself_and_providers_are_bookkeeping() -> None:
    stack = ResourceChange("urn:s", "pulumi:pulumi:Stack", "s", "create")
    provider = ResourceChange("urn:p", "pulumi:providers:aws", "p", "replace")
    assert Preview("service", (stack, provider)).changes == ()


def test_every_violation_is_told_with_name_type_and_reason() -> None:
    changes = (
        ResourceChange("urn:1", SERVICE, "web", "replace"),
        ResourceChange("urn:2", TASK_DEFINITION, "web-task", "same"),
        ResourceChange("urn:3", IMAGE, "image", "update"),
    )
    assert violations(Preview("service", changes), Act.SERVICE) == (
        f"web ({SERVICE}): the engine would replace it",
        f"image ({IMAGE}): this step has no business with it (update)",
    )


def test_an_output_that_is_missing_is_none() -> None:
    outcome = StackOutcome("image", (), (("index_digest", "sha256:1"),))
    assert (outcome.output("index_digest"), outcome.output("other")) == ("sha256:1", None)


def twin(operation: str, name: str = TWIN, kind: str = SERVICE) -> Preview:
    return Preview("service", (ResourceChange(f"urn:{name}", kind, name, operation, ()),))


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("operation", ["create", "update", *DESTRUCTIVE])
def test_the_twin_is_left_alone_unless_the_step_is_about_it(act: Act, operation: str) -> None:
    assert violations(twin(operation), act)


@pytest.mark.parametrize("step", ["create", "delete"])
def test_a_step_does_to_the_twin_what_it_is_about_and_nothing_else(step: str) -> None:
    assert not violations(twin(step), Act.SERVICE, step)
    assert all(violations(twin(other), Act.SERVICE, step) for other in ("create", *DESTRUCTIVE) if other != step)


@pytest.mark.parametrize(
    ("name", "kind"), [("service", SERVICE), ("twin-2", SERVICE), (TWIN, TASK_DEFINITION), (TWIN, CLUSTER)]
)
def test_a_step_that_lets_the_twin_go_deletes_nothing_else(name: str, kind: str) -> None:
    assert violations(twin("delete", name, kind), Act.SERVICE, "delete")
