"""The AWS calls of each verb, as they are made: by our own code, by the aws provider's plugin, by builder and registry.

The provider's are those of the resources and lookups that stacks/ declares (provider.md sections 2, 3, 5 and 9).
"""

from __future__ import annotations

from collections.abc import Mapping

_CALLER = frozenset({"sts:GetCallerIdentity"})
_PULL = frozenset({"ecr:GetAuthorizationToken", "registry:GetManifest", "registry:GetBlob"})
MACHINES = frozenset(
    {
        "ecs:DescribeCapacityProviders",
        "ecs:ListContainerInstances",
        "ecs:DescribeContainerInstances",
        "ecs:ListAccountSettings",
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeLaunchConfigurations",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeInstanceTypes",
    }
)
"""Asked where tasks run, or are to run, on machines of EC2."""

_LOOK = (
    _CALLER
    | _PULL
    | {
        "ecs:DescribeServices",
        "ecs:DescribeTaskDefinition",
        "ecs:DescribeClusters",
        "ecs:ListTasks",
        "ecs:DescribeTasks",
        "cloudwatch:DescribeAlarms",
        "ecr:DescribeRepositories",
    }
)
"""One look at the service and what it runs."""

_JUDGE = MACHINES | {
    "ecr:DescribeImages",
    "ecr:BatchGetImage",
    "ecr:GetLifecyclePolicy",
    "ecr:DescribePullThroughCacheRules",
    "ecr:DescribeRegistry",
    "ec2:DescribeSubnets",
    "elbv2:DescribeTargetGroupAttributes",
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScheduledActions",
    "application-autoscaling:DescribeScalingPolicies",
}
"""What preflight reads around the service; a part that may not be read is a finding, and stops nothing."""

_INFORM = frozenset({"ecs:ListServiceDeployments", "pricing:GetProducts"})
"""How long deployments took so far, and what the tasks cost: where it may not be asked, a plan says so."""

_SUGGEST = frozenset({"ecs:ListClusters", "ecs:ListServices"})
"""Asked for what there is, where a name was not found or not given."""

_MAY_WE = frozenset({"iam:SimulatePrincipalPolicy", "iam:GetRole", "ecr:GetRepositoryPolicy"})
_LOOKUP = frozenset({"ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:ListTagsForResource"})
"""The provider's getRepository, in every preview of the image stack."""

_SERVICE_STACK = frozenset({"ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:DescribeClusters"})
_DEPLOY = frozenset({"ecs:UpdateService"})
_STOP = frozenset({"ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments", "ecs:StopServiceDeployment"})
_REGISTER = frozenset({"ecs:RegisterTaskDefinition"})
_TAG = frozenset({"ecr:DescribeImages", "ecr:PutImage"})
_PUSH = frozenset(
    {
        "registry:HasBlob",
        "registry:StartUpload",
        "registry:UploadChunk",
        "registry:FinishUpload",
        "registry:PutManifest",
    }
)
METRICS = frozenset({"cloudwatch:GetMetricData"})
"""Asked where the settings have a gate.metric, or a twin is compared with the service."""
NOTIFY = frozenset({"sns:Publish", "events:PutEvents"})
"""Made where the settings have topics or event buses to be told; nothing that is simulated beforehand may depend on
them, for nothing of a migration does."""
_EVERY_ACT = _LOOKUP | _SERVICE_STACK | _DEPLOY | _STOP | {"elbv2:DescribeTargetHealth"}

_LET_THE_TWIN_GO = frozenset({"ecs:DeleteService"})
_MAKE_A_TWIN = frozenset({"ecs:CreateService"})

_BACK: tuple[frozenset[str], ...] = (
    _EVERY_ACT | _TAG,
    _EVERY_ACT | _TAG,
    # The copy of an original revision that is no longer ACTIVE is registered (case C32).
    _EVERY_ACT | _REGISTER | _LET_THE_TWIN_GO,
    _EVERY_ACT | _REGISTER,
)
"""By the stage that is left."""

_ACTS: tuple[frozenset[str], ...] = (
    _BACK[0] | METRICS | {"ecs:PutClusterCapacityProviders"},
    _BACK[1] | METRICS | _PUSH,
    _BACK[2] | METRICS | _MAKE_A_TWIN,
    _BACK[3] | METRICS,
)
"""By stage; each holds the way back of its own stage, which a gate that fails takes at once."""

_VERBS: Mapping[str, tuple[frozenset[str], ...]] = {
    "init": (_CALLER | _SUGGEST | {"ecs:DescribeServices", "ecs:DescribeTaskDefinition"},),
    "plan": (_LOOK | _SUGGEST | _JUDGE | _MAY_WE | _INFORM,),
    "check": (_LOOK | _SUGGEST | _JUDGE | _MAY_WE,),
    "status": (_LOOK | _SUGGEST,),
    # What one says yes to is shown as a plan shows it.
    "apply": tuple(_LOOK | _SUGGEST | _JUDGE | _MAY_WE | _INFORM | NOTIFY | acts for acts in _ACTS),
    # It judges what runs, as the gate of a stage does.
    "gate": (_LOOK | _SUGGEST | METRICS | {"elbv2:DescribeTargetHealth", "ecs:ListServiceDeployments"},),
    "rollback": tuple(_LOOK | _SUGGEST | NOTIFY | acts for acts in _BACK),
    # It touches nothing that runs: both stacks are renamed, and that is the backend's business.
    "finish": (_LOOK | _SUGGEST | NOTIFY,),
    # Pulumi's own command line, for a look at the stacks; what else is asked of it needs what that writes.
    "stack": (_CALLER | _SUGGEST | _SERVICE_STACK | _LOOKUP | {"ecr:GetAuthorizationToken"},),
}
LEFT_TO_AN_OWNER = _DEPLOY | _REGISTER | _MAKE_A_TWIN | _LET_THE_TWIN_GO | _PUSH | {"ecs:PutClusterCapacityProviders"}
"""Calls that no run makes where other code owns the service and pushes its image (service.owner external)."""

BEYOND_A_SMOOTH_RUN: Mapping[str, str] = {
    **dict.fromkeys(sorted(MACHINES), "only where tasks run on machines of EC2"),
    **dict.fromkeys(sorted(METRICS), "only where the settings have a metric to be watched, or a twin is compared"),
    **dict.fromkeys(sorted(NOTIFY), "only where the settings name a topic or an event bus"),
    "pricing:GetProducts": "only to say what the tasks cost, where the settings do not",
    "elbv2:DescribeTargetGroupAttributes": "only where tasks behind a load balancer are to run on Spot",
    "application-autoscaling:DescribeScheduledActions": "only where the service is scaled automatically",
    "application-autoscaling:DescribeScalingPolicies": "only where the service is scaled automatically",
    "ecs:CreateService": "only for the twin of the modes canary and mixed",
    "ecs:DeleteService": "only for the twin of the modes canary and mixed",
    "ecr:GetLifecyclePolicy": "only for a repository of a private registry",
    "ecs:ListClusters": "only to say which clusters there are",
    "ecs:ListServices": "only to say which services there are",
    "iam:SimulatePrincipalPolicy": "only to say beforehand which permissions are missing",
    "iam:GetRole": "only to learn the path of a role before it is simulated",
    "ecr:GetRepositoryPolicy": "only where a permission on the repository seems to be missing",
    "ecs:DescribeServiceDeployments": "only before a deployment under way is stopped",
    "ecs:StopServiceDeployment": "only where a deployment under way has to be stopped",
    "registry:UploadChunk": "only for layers that are pushed in parts",
}
"""Calls that a run which goes well does not make, and what makes them."""


OF_THE_PROVIDER_ALONE = frozenset(
    {
        "ecs:RegisterTaskDefinition",
        "ecs:PutClusterCapacityProviders",
        "ecs:CreateService",
        "ecs:DeleteService",
        "ecr:ListTagsForResource",
    }
)
"""Calls that our own code never makes."""


def calls_of(verb: str, stage: int | None = None) -> frozenset[str]:
    """Return the calls of a verb; without ``stage`` those of all stages."""
    by_stage = _VERBS[verb]
    if stage is not None and len(by_stage) > 1:
        return by_stage[stage]
    return frozenset().union(*by_stage)


def calls_to_act(stage: int) -> frozenset[str]:
    """Return the calls that a stage and its way back make beyond looking."""
    return _ACTS[stage] - _LOOK
