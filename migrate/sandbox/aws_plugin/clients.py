"""The AWS APIs, called with botocore: clients made late and once, errors in the words of the Go SDK."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from migrate.sandbox.aws_plugin.errors import ApiError, PluginError

if TYPE_CHECKING:
    from migrate.sandbox.aws_plugin.configuration import ProviderConfiguration

_NAMES = {"ecs": "ECS", "ecr": "ECR", "s3": "S3", "sqs": "SQS", "sts": "STS"}
# The other sources (roles, single sign-on, instance metadata) would ask hosts that are not loopback.
_STATIC_CREDENTIALS = ("env", "shared-credentials-file", "config-file")
_NO_CREDENTIALS = (
    "No valid credential sources found.\n"
    "Please see https://www.pulumi.com/registry/packages/aws/installation-configuration/ for more information about "
    "providing credentials."
)


class Aws:
    """Calls of AWS services for one configured provider; safe for several threads."""

    def __init__(self, configuration: ProviderConfiguration) -> None:
        self.configuration = configuration
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._session: Any = None
        self._account: str | None = None

    def call(self, service: str, operation: str, /, *, region: str | None = None, **arguments: Any) -> dict[str, Any]:
        """Call ``operation`` (API spelling); arguments that are None are left out. Raises :class:`ApiError`."""
        from botocore.exceptions import BotoCoreError, ClientError

        given = {name: value for name, value in arguments.items() if value is not None}
        client = self._client(service, region or self.configuration.region)
        try:
            answered: dict[str, Any] = client._make_api_call(operation, given)  # noqa: SLF001 - takes the API's spelling
        except ClientError as error:
            answer: dict[str, Any] = dict(error.response)
            meta = answer.get("ResponseMetadata", {})
            raise ApiError(
                _NAMES[service],
                operation,
                answer.get("Error", {}).get("Code", "Unknown"),
                answer.get("Error", {}).get("Message", ""),
                status=meta.get("HTTPStatusCode", 0),
                request=meta.get("RequestId", ""),
            ) from error
        except BotoCoreError as error:
            raise PluginError(f"operation error {_NAMES[service]}: {operation}, {error}") from error
        return answered

    def account(self) -> str:
        """Give the account id, asked once."""
        if self._account is None:
            self._account = str(self.call("sts", "GetCallerIdentity")["Account"])
        return self._account

    def arn(self, service: str, region: str, resource: str) -> str:
        """Give the ARN of a resource of this account."""
        account = "" if self.configuration.skip_account_id else self.account()
        return f"arn:aws:{service}:{region}:{account}:{resource}"

    def validate(self) -> None:
        """Check the credentials as Configure does; raises :class:`PluginError`."""
        configuration = self.configuration
        if configuration.skip_credentials_validation:
            return
        with self._lock:
            session = self._botocore()
        if configuration.access_key is None and session.get_credentials() is None:
            raise PluginError(_NO_CREDENTIALS)
        try:
            account = self.account()
        except PluginError as error:
            raise PluginError(f"unable to validate AWS credentials.\nDetails: {error.what}") from error
        if configuration.allowed_accounts and account not in configuration.allowed_accounts:
            raise PluginError(f"AWS account ID not allowed: {account}")
        if account in configuration.forbidden_accounts:
            raise PluginError(f"AWS account ID not allowed: {account}")

    def _botocore(self) -> Any:
        if self._session is None:
            from botocore.session import Session

            self._session = Session(profile=self.configuration.profile)
            resolver = self._session.get_component("credential_provider")
            for name in [item.METHOD for item in resolver.providers if item.METHOD not in _STATIC_CREDENTIALS]:
                resolver.remove(name)
        return self._session

    def _client(self, service: str, region: str) -> Any:
        from botocore.config import Config

        with self._lock:
            if (service, region) not in self._clients:
                configuration = self.configuration
                self._clients[service, region] = self._botocore().create_client(
                    service,
                    region_name=region,
                    endpoint_url=configuration.endpoints[service],
                    aws_access_key_id=configuration.access_key,
                    aws_secret_access_key=configuration.secret_key,
                    aws_session_token=configuration.token,
                    verify=False if configuration.insecure else None,
                    config=Config(
                        retries={"mode": "standard", "total_max_attempts": 5},
                        proxies={},
                        read_timeout=60,
                        connect_timeout=10,
                    ),
                )
            return self._clients[service, region]
