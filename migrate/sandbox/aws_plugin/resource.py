"""What a resource type must be able to do: the shared machinery calls nothing else of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.sandbox.aws_plugin.clients import Aws
    from migrate.sandbox.aws_plugin.schema import Table
    from migrate.sandbox.aws_plugin.values import Props
    from migrate.sandbox.aws_plugin.waiting import Waiter


@dataclass(frozen=True, slots=True)
class Session:
    """What an operation works with; ``timeout`` is the program's customTimeouts in seconds, None for the default."""

    aws: Aws
    waiter: Waiter
    region: str
    timeout: float | None = None

    def call(self, service: str, operation: str, /, **arguments: Any) -> dict[str, Any]:
        """Call an API operation in the resource's region."""
        return self.aws.call(service, operation, region=self.region, **arguments)


@dataclass(frozen=True, slots=True)
class Update:
    """A planned update: the state, the resource as it is to become, and the top-level properties that change."""

    id: str
    state: Props
    planned: Props
    changed: frozenset[str]

    def touches(self, *names: str) -> bool:
        """Whether any of these properties changes."""
        return not self.changed.isdisjoint(names)


class ResourceType(Protocol):
    """One resource type of the provider."""

    table: Table

    def problems(self, state: Props | None, planned: Props, /) -> list[str]:
        """Give what only the whole plan shows to be wrong (Terraform's CustomizeDiff); ``state`` None for a new one."""

    def create(self, session: Session, planned: Props, keep: Callable[[str], None], /) -> tuple[str, Props]:
        """Make it; gives its id and what a read needs beside the plan. ``keep`` hears the id once something exists."""

    def import_id(self, session: Session, given: str, /) -> tuple[str, Props]:
        """Turn the id that a person gives into the resource's id and the state that a read starts from."""

    def read(self, session: Session, resource_id: str, state: Props, /) -> tuple[str, Props] | None:
        """Give id and state, keeping of ``state`` what the API does not answer; None when it is gone."""

    def update(self, session: Session, update: Update, /) -> None:
        """Change it in place."""

    def delete(self, session: Session, resource_id: str, state: Props, /) -> None:
        """Take it away; one that is gone already is no error."""
