"""Which AWS calls each verb makes, and which IAM permissions those calls need.

The calls are those of our own code (adapters/aws, counted by its CallCounter), of the aws provider, and of the registry
protocol; tests compare the table with what is recorded, in both directions. Which action authorises a call, and on
which resource, is the Service Authorization Reference's ("Actions, resources, and condition keys for ..."): ECS,
ECR, Elastic Load Balancing V2, CloudWatch, Application Auto Scaling, EC2 Auto Scaling, EC2, IAM.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from migrate.core.permission.calls import LEFT_TO_AN_OWNER, MACHINES, METRICS, calls_of, calls_to_act


class Verb(StrEnum):
    """The verbs that ask AWS."""

    INIT = "init"
    PLAN = "plan"
    CHECK = "check"
    STATUS = "status"
    GATE = "gate"
    APPLY = "apply"
    ROLLBACK = "rollback"
    FINISH = "finish"
    STACK = "stack"


class Target(StrEnum):
    """What a permission is about: as narrow as the action allows (Service Authorization Reference, resource types)."""

    ANYTHING = "anything"
    CLUSTER = "cluster"
    SERVICE = "service"
    TWIN = "twin"
    SERVICE_DEPLOYMENTS = "service deployments"
    TASKS = "tasks"
    TASK_DEFINITION = "task definition"
    CAPACITY_PROVIDERS = "capacity providers"
    CONTAINER_INSTANCES = "container instances"
    IMAGES = "images"
    REPOSITORY = "repository"
    TASK_ROLES = "task roles"
    CALLER = "caller"
    CALLER_ROLE = "caller's role"
    TOPICS = "topics"
    EVENT_BUSES = "event buses"


class Condition(StrEnum):
    """What narrows a permission where its resource cannot."""

    NONE = ""
    IN_CLUSTER = "in the cluster"
    PASSED_TO_TASKS = "passed to tasks"
    WITH_A_NEW_REVISION = "with a new revision"
    WITH_THE_TWIN = "with the twin"


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """An IAM action on a target, under a condition."""

    action: str
    target: Target
    condition: Condition = Condition.NONE

    @property
    def reads(self) -> bool:
        """Whether the action changes nothing (the access levels List and Read)."""
        name = self.action.partition(":")[2]
        return name.startswith(("Describe", "List", "Get", "BatchGet", "BatchCheck", "Simulate"))


def _of(action: str, *targets: Target, condition: Condition = Condition.NONE) -> tuple[Permission, ...]:
    return tuple(Permission(action, target, condition) for target in targets)


_DEPLOYMENT = (Target.SERVICE, Target.SERVICE_DEPLOYMENTS)

CALLS: Mapping[str, tuple[Permission, ...]] = {
    # Nobody can be denied this one (STS API reference, GetCallerIdentity).
    "sts:GetCallerIdentity": (),
    "ecs:ListClusters": _of("ecs:ListClusters", Target.ANYTHING),
    "ecs:ListServices": _of("ecs:ListServices", Target.ANYTHING, condition=Condition.IN_CLUSTER),
    "ecs:DescribeServices": _of("ecs:DescribeServices", Target.SERVICE),
    "ecs:DescribeClusters": _of("ecs:DescribeClusters", Target.CLUSTER),
    "ecs:DescribeTaskDefinition": _of("ecs:DescribeTaskDefinition", Target.ANYTHING),
    "ecs:ListTasks": _of("ecs:ListTasks", Target.ANYTHING, condition=Condition.IN_CLUSTER),
    "ecs:DescribeTasks": _of("ecs:DescribeTasks", Target.TASKS),
    "ecs:ListServiceDeployments": _of("ecs:ListServiceDeployments", Target.SERVICE),
    "ecs:DescribeServiceDeployments": _of("ecs:DescribeServiceDeployments", *_DEPLOYMENT),
    "ecs:StopServiceDeployment": _of("ecs:StopServiceDeployment", *_DEPLOYMENT),
    "ecs:UpdateService": _of("ecs:UpdateService", Target.SERVICE),
    "ecs:CreateService": (
        *_of("ecs:CreateService", Target.TWIN),
        *_of("ecs:TagResource", Target.TWIN, condition=Condition.WITH_THE_TWIN),
    ),
    "ecs:DeleteService": _of("ecs:DeleteService", Target.TWIN),
    "ecs:PutClusterCapacityProviders": _of("ecs:PutClusterCapacityProviders", Target.CLUSTER),
    "ecs:RegisterTaskDefinition": (
        *_of("ecs:RegisterTaskDefinition", Target.TASK_DEFINITION),
        # Tags are given in the call itself (ECS developer guide, "Tagging resources during creation").
        *_of("ecs:TagResource", Target.TASK_DEFINITION, condition=Condition.WITH_A_NEW_REVISION),
        *_of("iam:PassRole", Target.TASK_ROLES, condition=Condition.PASSED_TO_TASKS),
    ),
    "ecs:DescribeCapacityProviders": _of("ecs:DescribeCapacityProviders", Target.CAPACITY_PROVIDERS),
    "ecs:ListContainerInstances": _of("ecs:ListContainerInstances", Target.CLUSTER),
    "ecs:DescribeContainerInstances": _of("ecs:DescribeContainerInstances", Target.CONTAINER_INSTANCES),
    "ecs:ListAccountSettings": _of("ecs:ListAccountSettings", Target.ANYTHING),
    **{
        call: _of(call, Target.ANYTHING)
        for call in (
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:DescribeScheduledActions",
            "application-autoscaling:DescribeScalingPolicies",
            "autoscaling:DescribeAutoScalingGroups",
            "autoscaling:DescribeLaunchConfigurations",
            "ec2:DescribeInstanceTypes",
            "ec2:DescribeLaunchTemplateVersions",
            "ec2:DescribeSubnets",
        )
    },
    "elbv2:DescribeTargetHealth": _of("elasticloadbalancing:DescribeTargetHealth", Target.ANYTHING),
    "elbv2:DescribeTargetGroupAttributes": _of("elasticloadbalancing:DescribeTargetGroupAttributes", Target.ANYTHING),
    # Narrower than everything, DescribeAlarms shows no composite alarms (CloudWatch API reference, DescribeAlarms).
    "cloudwatch:DescribeAlarms": _of("cloudwatch:DescribeAlarms", Target.ANYTHING),
    "pricing:GetProducts": _of("pricing:GetProducts", Target.ANYTHING),
    "cloudwatch:GetMetricData": _of("cloudwatch:GetMetricData", Target.ANYTHING),
    "ecr:GetAuthorizationToken": _of("ecr:GetAuthorizationToken", Target.ANYTHING),
    "ecr:DescribeRepositories": _of("ecr:DescribeRepositories", Target.REPOSITORY),
    "ecr:DescribeImages": _of("ecr:DescribeImages", Target.REPOSITORY),
    "ecr:ListTagsForResource": _of("ecr:ListTagsForResource", Target.REPOSITORY),
    "ecr:GetLifecyclePolicy": _of("ecr:GetLifecyclePolicy", Target.REPOSITORY),
    "ecr:DescribePullThroughCacheRules": _of("ecr:DescribePullThroughCacheRules", Target.ANYTHING),
    "ecr:DescribeRegistry": _of("ecr:DescribeRegistry", Target.ANYTHING),
    "ecr:BatchGetImage": _of("ecr:BatchGetImage", Target.REPOSITORY),
    "ecr:PutImage": _of("ecr:PutImage", Target.REPOSITORY),
    "ecr:GetRepositoryPolicy": _of("ecr:GetRepositoryPolicy", Target.REPOSITORY),
    "iam:SimulatePrincipalPolicy": _of("iam:SimulatePrincipalPolicy", Target.CALLER),
    "iam:GetRole": _of("iam:GetRole", Target.CALLER_ROLE),
    "sns:Publish": _of("sns:Publish", Target.TOPICS),
    "events:PutEvents": _of("events:PutEvents", Target.EVENT_BUSES),
    # The registry protocol (ECR user guide, "IAM permissions for pushing an image"; a pull asks for the same manifest).
    "registry:GetManifest": _of("ecr:BatchGetImage", Target.IMAGES),
    "registry:GetBlob": _of("ecr:GetDownloadUrlForLayer", Target.IMAGES),
    "registry:HasBlob": _of("ecr:BatchCheckLayerAvailability", Target.REPOSITORY),
    "registry:StartUpload": _of("ecr:InitiateLayerUpload", Target.REPOSITORY),
    "registry:UploadChunk": _of("ecr:UploadLayerPart", Target.REPOSITORY),
    "registry:FinishUpload": (
        *_of("ecr:UploadLayerPart", Target.REPOSITORY),
        *_of("ecr:CompleteLayerUpload", Target.REPOSITORY),
    ),
    "registry:PutManifest": _of("ecr:PutImage", Target.REPOSITORY),
}
"""The permissions of each call: our own and the provider's under boto3's names (``elbv2``), pushes and pulls under
``registry``."""


ON_MACHINES = frozenset(permission.action for call in MACHINES for permission in CALLS[call])
"""Actions that nobody needs whose tasks run on Fargate."""

OF_METRICS = frozenset(permission.action for call in METRICS for permission in CALLS[call])
"""Actions that nobody needs whose gates watch no metric."""

PUSHING = frozenset(
    {
        "ecr:BatchCheckLayerAvailability",
        "ecr:CompleteLayerUpload",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
    }
)
"""Actions that nobody needs who lets the team's CI push the index (image mode external)."""


OF_AN_OWNER = frozenset(permission.action for call in LEFT_TO_AN_OWNER for permission in CALLS[call]) - {"ecr:PutImage"}
"""Actions that nobody needs who leaves the service to its owner; the guard tag is still written."""


def permissions_of(verbs: Iterable[Verb], stage: int | None = None) -> tuple[Permission, ...]:
    """Return what the verbs need, sorted; ``stage`` narrows apply and rollback to one stage."""
    calls = {call for verb in verbs for call in calls_of(verb, stage)}
    return tuple(sorted({permission for call in calls for permission in CALLS[call]}))


def permissions_to_act(stage: int) -> tuple[Permission, ...]:
    """Return what a stage and its way back need and a look at the service has not used already."""
    return tuple(sorted({permission for call in calls_to_act(stage) for permission in CALLS[call]}))
