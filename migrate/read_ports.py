"""What many reads at once need from the outside: room at the API's rate limits, and calls that answer for many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from migrate.core.image.names import ImageReference
from migrate.core.permission.answers import Question
from migrate.core.rate_limits import ApiGroup
from migrate.core.settings import Settings


class RateLimits(Protocol):
    """Keeps the calls of everybody who shares it below the API's rates; one bucket for account, region and group."""

    def reserve(self, account: str, region: str, group: ApiGroup) -> float:
        """Promise one call and return how many seconds it has to wait; nothing waits in here.

        A promise is never taken back: who does not make its call has only been slower than it had to be.
        """
        ...


class BatchReader(Protocol):
    """Reads for many services at once what the single readers beside it then answer without a call of their own.

    Nothing here raises: what could not be read in a batch is told, or read, by whoever asks for the single thing.
    """

    def services(self, wanted: Sequence[Settings]) -> None:
        """Read services: what tells of their revisions, which take the longest to read."""
        ...

    def around(self, wanted: Sequence[Settings]) -> None:
        """Read clusters, tasks, alarms, subnets and scaling of services that were read."""
        ...

    def service(self, wanted: Settings) -> None:
        """Read what no batch holds and only the service itself tells of: it may take as long as reading a revision."""
        ...

    def repositories(self, images: Sequence[ImageReference]) -> None:
        """Read the repositories of images."""
        ...

    def permissions(self, principal: str, questions: Sequence[Question]) -> None:
        """Ask IAM what a user or role may do."""
        ...
