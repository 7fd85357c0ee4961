"""Which API operations may be called at all, and how many were.

Design rule 2: boto3 reads, and writes only the named safety actions. The rule is enforced inside botocore, before a
request leaves, so that no code path can go round it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from migrate.errors import ToolFaultError

if TYPE_CHECKING:
    from botocore.hooks import BaseEventHooks
    from botocore.model import OperationModel

READING = ("Describe", "List", "Get", "BatchGet", "Simulate")
"""Beginnings of the names of operations that change nothing."""

WRITES: Mapping[str, frozenset[str]] = {
    "ecr:PutImage": frozenset(
        {"registryId", "repositoryName", "imageManifest", "imageManifestMediaType", "imageTag", "imageDigest"}
    ),
    "ecs:StopServiceDeployment": frozenset({"serviceDeploymentArn", "stopType"}),
    "ecs:UpdateService": frozenset({"cluster", "service", "forceNewDeployment", "capacityProviderStrategy"}),
}
"""The safety actions' operations and the only parameters they may carry."""


NOTIFYING = frozenset({"sns:Publish", "events:PutEvents"})
"""Operations that tell others, and change nothing that a service is made of."""


def is_read(operation: str) -> bool:
    """Tell whether an operation (``DescribeServices``) only reads."""
    return operation.startswith(READING)


class CallCounter:
    """Counts the API calls of a session by ``service:Operation``; a call that botocore repeats counts once."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """How many calls were made."""
        return self._calls.total()

    @property
    def by_operation(self) -> dict[str, int]:
        """The calls by operation, sorted by name."""
        return dict(sorted(self._calls.items()))

    def attach(self, events: BaseEventHooks) -> None:
        """Listen to botocore's ``before-call`` event (botocore topic guide "Events")."""
        # First of all: a handler that answers in AWS's place would end the event.
        events.register_first("before-call.*.*", self._count)

    def _count(self, *, model: OperationModel, **_: object) -> None:
        self._calls[operation_name(model)] += 1


def operation_name(model: OperationModel) -> str:
    """Return ``service:Operation`` as this package writes it."""
    return f"{model.service_model.service_name}:{model.name}"


def allow_reads_only(events: BaseEventHooks) -> None:
    """Let a client refuse every operation that does not read. It then raises ToolFaultError."""
    events.register_first("before-parameter-build", _refuse_writes)


def allow_safety_actions(events: BaseEventHooks) -> None:
    """Let a client refuse everything but reads and the safety actions. It then raises ToolFaultError."""
    events.register_first("before-parameter-build", _refuse_other_writes)


def allow_notifications(events: BaseEventHooks) -> None:
    """Let a client refuse everything but telling others. It then raises ToolFaultError."""
    events.register_first("before-parameter-build", _refuse_all_but_notifications)


def _refuse_all_but_notifications(*, model: OperationModel, **_: object) -> None:
    name = operation_name(model)
    if name not in NOTIFYING:
        raise _refusal(name, f"This client may only {' and '.join(sorted(NOTIFYING))}.")


def _refuse_writes(*, model: OperationModel, **_: object) -> None:
    if not is_read(model.name):
        raise _refusal(operation_name(model), "This client may only read.")


def _refuse_other_writes(*, params: dict[str, Any], model: OperationModel, **_: object) -> None:
    name = operation_name(model)
    if is_read(model.name):
        return
    if name not in WRITES:
        raise _refusal(name, f"The safety actions are {', '.join(sorted(WRITES))}.")
    strange = set(params) - WRITES[name]
    if strange:
        raise _refusal(name, f"It would also change {', '.join(sorted(strange))}.")
    # The strategy may only be taken away: any other one is Pulumi's to write.
    if params.get("capacityProviderStrategy") or not params.get("forceNewDeployment", True):
        raise _refusal(name, "It may only force a deployment, or take the strategy away.")


def _refusal(name: str, why: str) -> ToolFaultError:
    return ToolFaultError(
        f"{name} was about to be called, which this tool never does.",
        why=why,
        then="Nothing was changed. Report this as a fault of the tool.",
        runbook="errors#fault",
    )
