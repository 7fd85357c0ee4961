"""Working in another account: a role that is assumed, and assumed again before its credentials expire.

botocore keeps the credentials fresh: an hour at most where a role assumes a role (IAM User Guide, "Methods to assume a
role"), renewed from fifteen minutes before the end (botocore.credentials, RefreshableCredentials).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)

from migrate.core.fleet.definition import FleetAccount

if TYPE_CHECKING:
    import botocore.session

_NOT_IN_A_SESSION_NAME = re.compile(r"[^\w+=,.@-]", re.ASCII)
_LONGEST_SESSION_NAME = 64


@dataclass(frozen=True, slots=True)
class Role:
    """A role to assume. ``external_id`` is what its trust policy asks for; ``operator`` is shown in CloudTrail."""

    arn: str
    external_id: str | None = None
    operator: str = ""

    @property
    def session_name(self) -> str:
        """The name of the session (STS API, AssumeRole: 2 to 64 letters, digits and _+=,.@-)."""
        return _NOT_IN_A_SESSION_NAME.sub("-", f"ecs-migrate-{self.operator}")[:_LONGEST_SESSION_NAME].rstrip("-")


def role_of(account: FleetAccount, operator: str) -> Role | None:
    """Return the role that an account of a fleet is reached by, if it is by one."""
    return Role(account.role_arn, account.external_id, operator) if account.role_arn else None


class _AssumedRole(CredentialProvider):
    METHOD = "assume-role"

    def __init__(self, fetch: Any) -> None:
        super().__init__()
        self._fetch = fetch

    def load(self) -> Any:
        return DeferredRefreshableCredentials(refresh_using=self._fetch, method=self.METHOD)


def work_as(core: botocore.session.Session, source: botocore.session.Session, role: Role, region: str) -> None:
    """Let ``core`` work as the role, which the credentials of ``source`` assume; asks AWS nothing yet.

    Where ``source`` has no credentials, ``core`` is left without any, and says so with its first call.
    """
    credentials = source.get_credentials()
    providers: list[CredentialProvider] = []
    if credentials is not None:
        extra = {"RoleSessionName": role.session_name} | ({"ExternalId": role.external_id} if role.external_id else {})
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=partial(source.create_client, region_name=region),
            source_credentials=credentials,
            role_arn=role.arn,
            extra_args=extra,
        )
        providers.append(_AssumedRole(fetcher.fetch_credentials))
    core.register_component("credential_provider", CredentialResolver(providers))
