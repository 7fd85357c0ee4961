"""One door to AWS: which region and profile, how long to wait, and one client a service."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

import boto3
import botocore.session
from botocore.exceptions import BotoCoreError, NoCredentialsError, ProfileNotFound

from migrate.adapters.aws.calls import CallCounter, allow_notifications, allow_reads_only, allow_safety_actions
from migrate.adapters.aws.client_settings import ATTEMPTS, Purpose, client_settings, notifying_settings
from migrate.adapters.aws.errors import translated
from migrate.adapters.aws.pacing import Pacing
from migrate.adapters.aws.roles import Role, work_as
from migrate.adapters.aws.timestamps import timestamp
from migrate.adapters.rate_limits import ProcessRateLimits
from migrate.adapters.shared_reads import SharedReads, once
from migrate.adapters.system_clock import SystemClock
from migrate.errors import SettingsError
from migrate.read_ports import RateLimits

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_pricing import PricingClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sts import STSClient

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Region:
    """The one region of a run, and which setting named it."""

    name: str
    source: str

    @property
    def environment(self) -> dict[str, str]:
        """What other tools have to find in their environment to work in the same region.

        boto3 reads AWS_DEFAULT_REGION only, Pulumi's provider reads both (facts F23): set both, alike.
        """
        return {"AWS_REGION": self.name, "AWS_DEFAULT_REGION": self.name}


def resolve_region(setting: str | None, environment: Mapping[str, str], profile_region: str | None) -> Region:
    """Choose the region: the setting, then AWS_REGION, then AWS_DEFAULT_REGION, then the profile (facts F23).

    Raises SettingsError when none of them says one.
    """
    choices = (
        (setting, "the setting `region`"),
        (environment.get("AWS_REGION"), "AWS_REGION"),
        (environment.get("AWS_DEFAULT_REGION"), "AWS_DEFAULT_REGION"),
        (profile_region, "the AWS profile"),
    )
    for name, source in choices:
        if name and name.strip():
            return Region(name.strip(), source)
    raise SettingsError(
        "No AWS region is set.",
        why="Neither the setting `region`, AWS_REGION, AWS_DEFAULT_REGION nor the AWS profile names one.",
        then="Write `region` into migrate.toml, give --region, or set AWS_REGION.",
        runbook="errors#region",
    )


class AwsSession:
    """Clients for one account and region, each made once; every call is counted, paced and held to the allow-list.

    ``limits`` are shared with everybody whose calls count together, ``sleep`` waits for a turn in seconds; ``shared``
    is what a look at many services has read already, None where every read has to be fresh. Reading clients refuse to
    write; ``ecs_writer`` and ``ecr_writer`` are for the safety actions alone.
    """

    def __init__(
        self,
        core: botocore.session.Session,
        region: Region,
        *,
        profile: str | None = None,
        limits: RateLimits | None = None,
        sleep: Callable[[float], None] | None = None,
        assumed: bool = False,
        shared: SharedReads | None = None,
    ) -> None:
        self.region = region
        self.profile = profile
        self.assumed = assumed
        self.calls = CallCounter()
        self.shared = shared
        self.sleep = sleep or SystemClock().seconds
        self.pacing = Pacing(limits or ProcessRateLimits(), self.sleep)
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=timestamp)
        self._core = core
        self._session = boto3.Session(botocore_session=core, region_name=region.name)
        self._clients: dict[tuple[str, str, Purpose, timedelta], Any] = {}
        # boto3 clients may be shared by threads, making them may not (boto3 guide, "Multithreading").
        self._lock = threading.Lock()

    def once(self, kind: str, key: Hashable, read: Callable[[], T]) -> T:
        """Return what is shared of a thing, or read it; raises what the read raised."""
        return once(self.shared, kind, key, read)

    @property
    def provider_environment(self) -> dict[str, str]:
        """What Pulumi's provider and other tools have to find in their environment to reach the same account."""
        return self.region.environment | ({"AWS_PROFILE": self.profile} if self.profile else {})

    def passing_credentials(self) -> dict[str, str]:
        """Return the credentials of an assumed role for another program's environment, fresh at every call.

        Empty without a role: the program finds what this one found, and refreshes it by itself.
        """
        if not self.assumed:
            return {}
        with translated("sts", self.region.name):
            credentials = self._core.get_credentials()
            if credentials is None:
                raise NoCredentialsError
            frozen = credentials.get_frozen_credentials()
        return {
            "AWS_ACCESS_KEY_ID": frozen.access_key or "",
            "AWS_SECRET_ACCESS_KEY": frozen.secret_key or "",
            "AWS_SESSION_TOKEN": frozen.token or "",
        }

    @property
    def attempts(self) -> int:
        """How often a call is made at most: what AWS_MAX_ATTEMPTS or the profile say, by somebody who knows why."""
        return int(self._core.get_config_variable("max_attempts") or ATTEMPTS)

    def ecs(self) -> ECSClient:
        """Return the reading ECS client."""
        return cast("ECSClient", self._client("ecs"))

    def ecs_writer(self) -> ECSClient:
        """Return the ECS client of the safety actions."""
        return cast("ECSClient", self._client("ecs", purpose=Purpose.SAFETY))

    def ecr(self, region: str | None = None) -> ECRClient:
        """Return the reading ECR client of a region; a service may pull from another region than its own."""
        return cast("ECRClient", self._client("ecr", region))

    def ecr_writer(self, region: str | None = None) -> ECRClient:
        """Return the ECR client of the safety actions."""
        return cast("ECRClient", self._client("ecr", region, Purpose.SAFETY))

    def elbv2(self) -> ElasticLoadBalancingv2Client:
        """Return the Elastic Load Balancing client."""
        return cast("ElasticLoadBalancingv2Client", self._client("elbv2"))

    def cloudwatch(self) -> CloudWatchClient:
        """Return the CloudWatch client."""
        return cast("CloudWatchClient", self._client("cloudwatch"))

    def ec2(self) -> EC2Client:
        """Return the EC2 client."""
        return cast("EC2Client", self._client("ec2"))

    def autoscaling(self) -> AutoScalingClient:
        """Return the client of EC2 Auto Scaling, which keeps groups of instances."""
        return cast("AutoScalingClient", self._client("autoscaling"))

    def application_autoscaling(self) -> ApplicationAutoScalingClient:
        """Return the client of Application Auto Scaling, which keeps the number of a service's tasks."""
        return cast("ApplicationAutoScalingClient", self._client("application-autoscaling"))

    def iam(self) -> IAMClient:
        """Return the IAM client."""
        return cast("IAMClient", self._client("iam"))

    def pricing(self, region: str) -> PricingClient:
        """Return the client of the AWS Price List, in a region that has its endpoint."""
        return cast("PricingClient", self._client("pricing", region))

    def sts(self) -> STSClient:
        """Return the STS client."""
        return cast("STSClient", self._client("sts"))

    def sns(self, region: str, within: timedelta) -> SNSClient:
        """Return the SNS client of a region, which may only publish, and answers ``within`` a time."""
        return cast("SNSClient", self._client("sns", region, Purpose.NOTIFYING, within))

    def events(self, region: str, within: timedelta) -> EventBridgeClient:
        """Return the EventBridge client of a region, which may only put events, and answers ``within`` a time."""
        return cast("EventBridgeClient", self._client("events", region, Purpose.NOTIFYING, within))

    def _client(
        self,
        service: str,
        region: str | None = None,
        purpose: Purpose = Purpose.READING,
        within: timedelta = timedelta(),
    ) -> Any:
        key = (service, region or self.region.name, purpose, within)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._made(*key)
            return self._clients[key]

    def _made(self, service: str, region: str, purpose: Purpose, within: timedelta) -> Any:
        config = (
            notifying_settings(within, self.attempts)
            if purpose is Purpose.NOTIFYING
            else client_settings(service, purpose, self.attempts)
        )
        with translated(service, region):
            # boto3's client() is overloaded by literal names; ours come from a variable.
            client = cast("Any", self._session).client(service, region_name=region, config=config)
        self.calls.attach(client.meta.events)
        self.pacing.attach(client.meta.events, service, region)
        _ALLOWED[purpose](client.meta.events)
        return client


_ALLOWED = {
    Purpose.READING: allow_reads_only,
    Purpose.SAFETY: allow_safety_actions,
    Purpose.NOTIFYING: allow_notifications,
}


def open_session(
    region: str | None,
    *,
    environment: Mapping[str, str],
    profile: str | None = None,
    limits: RateLimits | None = None,
    role: Role | None = None,
    shared: SharedReads | None = None,
) -> AwsSession:
    """Open the door with the standard AWS environment and profile; asks AWS nothing yet.

    ``environment`` is the process environment; boto3 reads credentials, endpoint and profile from it by itself.
    With a ``role`` these credentials only assume it, and everything else is done by it.
    Raises SettingsError for an unknown profile, an unreadable AWS configuration or when no region is set.
    """
    try:
        core = botocore.session.Session(profile=profile)
        scoped = core.get_scoped_config()
    except ProfileNotFound as error:
        raise SettingsError(
            "The AWS profile does not exist.",
            why=f"{error}.",
            then="Name one that `aws configure list-profiles` shows, in AWS_PROFILE or --profile.",
            runbook="errors#credentials",
        ) from error
    except BotoCoreError as error:
        raise SettingsError(
            "The AWS configuration cannot be read.",
            why=f"{error}",
            then="Correct the file that AWS_CONFIG_FILE names (usually ~/.aws/config).",
            runbook="errors#credentials",
        ) from error
    chosen = resolve_region(region, environment, scoped.get("region"))
    if role is not None:
        work_as(core, botocore.session.Session(profile=profile), role, chosen.name)
    return AwsSession(core, chosen, profile=profile, limits=limits, assumed=role is not None, shared=shared)
