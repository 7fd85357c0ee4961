"""What becomes of a stack's state once the world was looked at, as values."""

from __future__ import annotations

from typing import Any

from migrate.adapters.pulumi import repair

URN = "urn:pulumi:stack::migrate-service::aws:ecs/taskDefinition:TaskDefinition::task-definition-arm64"
ARN = "arn:aws:ecs:eu-central-1:111122223333:task-definition/web:8"
META = '{"schema_version":"1"}'


def deployment() -> dict[str, Any]:
    kind = "aws:ecs/taskDefinition:TaskDefinition"
    held = {"urn": "urn::task-definition", "type": kind, "id": "web", "inputs": {}, "outputs": {"__meta": META}}
    wanted = {"urn": URN, "type": kind, "custom": True, "inputs": {"family": "web", "skipDestroy": True}}
    return {
        "manifest": {"version": "v3"},
        "resources": [held],
        "pending_operations": [{"type": "creating", "resource": wanted}],
    }


def test_a_pending_operation_is_told_by_what_it_was_about() -> None:
    (found,) = repair.pending("service", deployment())
    assert (found.operation, found.name, found.urn) == ("creating", "task-definition-arm64", URN)
    assert found.text == "creating task-definition-arm64 (service stack)"
    assert repair.pending("service", {}) == ()


def test_what_was_made_is_held_and_what_was_not_is_forgotten() -> None:
    before = deployment()
    after = repair.settled(before, {URN: ARN})
    made = after["resources"][-1]
    assert (made["urn"], made["id"]) == (URN, "web"), "an import reads the family as its id"
    assert made["outputs"] == {"family": "web", "skipDestroy": True, "__meta": META, "id": "web", "arn": ARN}
    assert "pending_operations" not in after
    assert repair.settled(after, {URN: ARN}) == after
    assert repair.settled(before, {})["resources"] == before["resources"]
    assert before == deployment(), "and nothing was changed in place"
