"""Operations of which the state of a stack does not know how they ended, because their process was killed."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.core.stack.preview import SERVICE, Preview

CREATING = "creating"
"""Pulumi's word (pulumi 3.274, sdk/go/common/apitype, OperationType) for what may have been made unrecorded."""

_NEVER_READ = frozenset({"forceNewDeployment", "triggers"})
"""Properties of a service that AWS does not tell, so that no refresh can bring them into the state (facts F4)."""


@dataclass(frozen=True, slots=True)
class PendingOperation:
    """One of them: the stack, the engine's word for what was under way, and the resource by type, logical name, URN."""

    stack: str
    operation: str
    type: str
    name: str
    urn: str

    @property
    def text(self) -> str:
        """The operation in words."""
        return f"{self.operation} {self.name} ({self.stack} stack)"


def only_unread(preview: Preview) -> bool:
    """Tell whether all that a preview would still change is what AWS never tells of the service."""
    return bool(preview.changes) and all(
        item.type == SERVICE and item.operation == "update" and set(item.properties) <= _NEVER_READ
        for item in preview.changes
    )
