"""Faults on purpose: what a demo or a test wants to go wrong next, and for whom.

A fault is one JSON object posted to ``/_sandbox/faults``; ``service`` (a service name) may be left out to mean any, and
``deployment`` (its id) to mean the tasks of any, where tasks and targets are concerned.
Those with a count are used up; the others last until they are deleted.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from migrate.sandbox.front.http import AwsError

if TYPE_CHECKING:
    from migrate.sandbox.front.http import Json


class FaultKind(StrEnum):
    """What can be made to fail."""

    TASKS_FAIL_TO_START = "tasks_fail_to_start"
    CHILD_EXITS = "child_exits"
    THROTTLE = "throttle"
    TARGET_UNHEALTHY = "target_unhealthy"
    DEPLOYMENT_LATENCY = "deployment_latency"
    CAPACITY_UNAVAILABLE = "capacity_unavailable"
    SPOT_INTERRUPTION = "spot_interruption"
    TASK_EXITS = "task_exits"
    OTHER_ARCHITECTURE = "other_architecture"
    EXPIRED = "expired"


@dataclass(slots=True)
class Fault:
    """One fault. ``deployments``, ``times`` and ``count`` say how often it still strikes; 0 is used up, -1 for ever."""

    id: int
    kind: FaultKind
    service: str = ""
    deployment: str = ""
    operation: str = ""
    provider: str = ""
    reason: str = ""
    seconds: float = 0.0
    exit_code: int = 1
    deployments: int = 1
    times: int = 1
    count: int = 1

    def concerns(self, service: str) -> bool:
        """Whether the fault is meant for ``service``."""
        return self.service in ("", service)

    def strikes(self, deployment: str) -> bool:
        """Whether the tasks of this deployment are meant."""
        return self.deployment in ("", deployment)


class Faults:
    """The faults that wait to strike."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, request: Json) -> Fault:
        """Keep a fault; raises :class:`AwsError` (ValidationException) on an unknown kind or field."""
        try:
            fault = Fault(**{**request, "id": next(self._ids), "kind": FaultKind(request.get("kind", ""))})
        except (TypeError, ValueError) as error:
            known = ", ".join(FaultKind)
            raise AwsError("ValidationException", f"{error}; the kinds of fault are {known}") from error
        self._waiting.append(fault)
        return fault

    def listed(self) -> list[Json]:
        """All waiting faults, oldest first."""
        return [{**asdict(fault), "kind": fault.kind.value} for fault in self._waiting]

    def forget(self, fault_id: int | None = None) -> None:
        """Drop one fault, or all."""
        self._waiting = [] if fault_id is None else [fault for fault in self._waiting if fault.id != fault_id]

    def find(self, kind: FaultKind, service: str = "") -> Fault | None:
        """Return the oldest waiting fault of this kind for this service, left in place."""
        return next((fault for fault in self._waiting if fault.kind is kind and fault.concerns(service)), None)

    def throttled(self, operation: str) -> bool:
        """Whether this call of ``operation`` is to be throttled; uses the fault up."""
        for fault in self._waiting:
            if fault.kind is FaultKind.THROTTLE and fault.operation == operation:
                self._use(fault, "times")
                return True
        return False

    def expired(self) -> bool:
        """Whether the credentials of every call have expired."""
        return self.find(FaultKind.EXPIRED) is not None

    def take_deployment(self, kind: FaultKind, service: str) -> Fault | None:
        """Return the fault that a deployment beginning now is to suffer for its whole life; uses one deployment up."""
        fault = self.find(kind, service)
        if fault is not None:
            self._use(fault, "deployments")
        return fault

    def unavailable(self, provider: str, service: str) -> bool:
        """Whether this capacity provider has no capacity for the service."""
        return any(
            fault.kind is FaultKind.CAPACITY_UNAVAILABLE and fault.concerns(service) and fault.provider == provider
            for fault in self._waiting
        )

    def take(self, kind: FaultKind, service: str) -> Fault | None:
        """Return the oldest waiting fault of this kind, which strikes now and once."""
        fault = self.find(kind, service)
        if fault is not None:
            self.forget(fault.id)
        return fault

    def _use(self, fault: Fault, counter: str) -> None:
        left = getattr(fault, counter)
        if left > 0:
            setattr(fault, counter, left - 1)
        if left == 1:
            self.forget(fault.id)
