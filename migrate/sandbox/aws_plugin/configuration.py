"""The provider's settings: decoded, completed from the environment, and held to loopback."""

from __future__ import annotations

import ipaddress
import json
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from migrate.sandbox.aws_plugin.errors import PluginError
from migrate.sandbox.aws_plugin.values import UNKNOWN, Props

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICES = ("ecs", "ecr", "s3", "sqs", "sts")
_PLAIN_TEXT = frozenset(
    {
        "accessKey",
        "secretKey",
        "token",
        "profile",
        "region",
        "version",
        "customCaBundle",
        "httpProxy",
        "httpsProxy",
        "noProxy",
        "retryMode",
        "stsRegion",
        "s3UsEast1RegionalEndpoint",
        "ec2MetadataServiceEndpoint",
        "ec2MetadataServiceEndpointMode",
        "tagPolicyCompliance",
    }
)
_NO_REGION = (
    "Missing region configuration\n"
    "Make sure you have set your AWS region, e.g. `pulumi config set aws:region us-west-2`."
)


@dataclass(frozen=True, slots=True)
class ProviderConfiguration:
    """What a configured provider works with. ``endpoints``: service name to URL, each proven to be on loopback."""

    region: str
    endpoints: Mapping[str, str]
    access_key: str | None = None
    secret_key: str | None = None
    token: str | None = None
    profile: str | None = None
    default_tags: Mapping[str, str] = field(default_factory=dict)
    ignored_tags: frozenset[str] = frozenset()
    ignored_prefixes: tuple[str, ...] = ()
    skip_credentials_validation: bool = False
    skip_account_id: bool = False
    insecure: bool = False
    allowed_accounts: tuple[str, ...] = ()
    forbidden_accounts: tuple[str, ...] = ()

    def without_ignored(self, tags: Mapping[str, str]) -> dict[str, str]:
        """Give the tags that ignoreTags does not name."""
        return {
            key: value
            for key, value in tags.items()
            if key not in self.ignored_tags and not key.startswith(self.ignored_prefixes or ("\0",))
        }


def decoded(properties: Props) -> Props:
    """Decode what arrives as JSON text: every provider property that is no string (reference/provider.md section 1)."""
    result: Props = {}
    for name, value in properties.items():
        if name in _PLAIN_TEXT or not isinstance(value, str):
            result[name] = value
            continue
        try:
            result[name] = json.loads(value)
        except ValueError:
            result[name] = value
    return result


def config_failures(properties: Props) -> list[tuple[str, str]]:
    """Give what is wrong with the settings before any is used: property and reason."""
    if "assumeRole" in properties:
        return [("assumeRole", "invalid config key 'aws:assumeRole', should be 'aws:assumeRoles'")]
    endpoints = decoded(properties).get("endpoints")
    failures = []
    for group in endpoints if isinstance(endpoints, list) else []:
        for service, url in group.items() if isinstance(group, dict) else []:
            if url is not UNKNOWN and not service.startswith("__"):
                try:
                    require_loopback(service, str(url))
                except PluginError as error:
                    failures.append(("endpoints", error.what))
    return failures


def read_configuration(properties: Props, environment: Mapping[str, str]) -> ProviderConfiguration:
    """Give the configuration; raises :class:`PluginError` without a region or with an endpoint off loopback."""
    given = decoded(properties)
    region = given.get("region") or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if not region:
        raise PluginError(_NO_REGION)
    named = _named_endpoints(given.get("endpoints"))
    endpoints = {service: _endpoint(service, named, environment) for service in SERVICES}
    ignored = given.get("ignoreTags") or {}
    return ProviderConfiguration(
        region=str(region),
        endpoints=endpoints,
        access_key=given.get("accessKey"),
        secret_key=given.get("secretKey"),
        token=given.get("token"),
        profile=given.get("profile"),
        default_tags=(given.get("defaultTags") or {}).get("tags") or {},
        ignored_tags=frozenset(ignored.get("keys") or ()),
        ignored_prefixes=tuple(ignored.get("keyPrefixes") or ()),
        skip_credentials_validation=_true(given.get("skipCredentialsValidation"))
        or _true(environment.get("AWS_SKIP_CREDENTIALS_VALIDATION")),
        skip_account_id=_true(given.get("skipRequestingAccountId")),
        insecure=_true(given.get("insecure")),
        allowed_accounts=tuple(given.get("allowedAccountIds") or ()),
        forbidden_accounts=tuple(given.get("forbiddenAccountIds") or ()),
    )


def _true(value: Any) -> bool:
    # The spellings of Go's strconv.ParseBool.
    return value is True or value in ("1", "t", "T", "true", "TRUE", "True")


def _named_endpoints(groups: Any) -> dict[str, str]:
    if isinstance(groups, dict):
        groups = [groups]
    return {service: url for group in groups or () for service, url in group.items() if not service.startswith("__")}


def _endpoint(service: str, named: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """Give the endpoint by the order of the AWS SDKs; the environment may set one for all services or for one."""
    specific = environment.get(f"AWS_ENDPOINT_URL_{service.upper()}")
    url = named.get(service) or specific or environment.get("AWS_ENDPOINT_URL")
    if not url:
        raise PluginError(
            f"This is the sandbox's stand-in for the aws plugin, and no endpoint is set for {service}: it never talks "
            "to AWS itself.",
            then="Run inside the sandbox (AWS_ENDPOINT_URL is set there), or install the real pulumi-resource-aws.",
        )
    require_loopback(service, url)
    return url


def require_loopback(service: str, url: str) -> None:
    """Refuse an endpoint with any address off loopback; raises :class:`PluginError`."""
    host = urlsplit(url).hostname
    try:
        addresses = {str(item[4][0]) for item in socket.getaddrinfo(host, None)} if host else set()
    except OSError:
        addresses = set()
    if not addresses or not all(ipaddress.ip_address(address).is_loopback for address in addresses):
        found = ", ".join(sorted(addresses)) or "no address"
        raise PluginError(
            f"The sandbox's stand-in for the aws plugin refuses the endpoint {url} for {service}: {host} resolves to "
            f"{found}, which is not loopback only.",
            then="Use the sandbox's endpoint, or install the real pulumi-resource-aws to work on AWS.",
        )
