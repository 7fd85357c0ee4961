"""What lies around the demo's service: a network, a load balancer, roles, logs and one alarm."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from migrate.sandbox.sandbox import Sandbox

PORT = 8080
ALARM = "demo-app-5xx"
LOG_GROUP = "/ecs/demo-app"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The names and ARNs that the service refers to."""

    subnets: tuple[str, ...]
    security_group: str
    target_group: str
    execution_role: str


def client(sandbox: Sandbox, service: str) -> Any:
    """Return a boto3 client that reaches the sandbox, whatever this process's own AWS environment says."""
    settings = sandbox.settings()
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=sandbox.endpoint,
        region_name=settings["AWS_DEFAULT_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        verify=settings["AWS_CA_BUNDLE"],
    )


def create(sandbox: Sandbox, region: str) -> Surroundings:
    """Create everything and return what the service needs of it."""
    subnets, security_group, vpc = _network(sandbox, region)
    target_group = _load_balancer(sandbox, subnets, security_group, vpc)
    iam = client(sandbox, "iam")
    role = iam.create_role(RoleName="demo-app-execution", AssumeRolePolicyDocument=json.dumps(_TRUST))
    iam.attach_role_policy(
        RoleName="demo-app-execution",
        PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
    )
    logs = client(sandbox, "logs")
    logs.create_log_group(logGroupName=LOG_GROUP)
    _alarm(sandbox, target_group)
    return Surroundings(subnets, security_group, target_group, role["Role"]["Arn"])


def _network(sandbox: Sandbox, region: str) -> tuple[tuple[str, ...], str, str]:
    ec2 = client(sandbox, "ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = tuple(
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{region}{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab")
    )
    group = ec2.create_security_group(GroupName="demo-app", Description="The demo's service", VpcId=vpc)["GroupId"]
    return subnets, group, vpc


def _load_balancer(sandbox: Sandbox, subnets: tuple[str, ...], security_group: str, vpc: str) -> str:
    elbv2 = client(sandbox, "elbv2")
    balancer = elbv2.create_load_balancer(
        Name="demo", Subnets=list(subnets), SecurityGroups=[security_group], Scheme="internal", Type="application"
    )["LoadBalancers"][0]["LoadBalancerArn"]
    target_group: str = elbv2.create_target_group(
        Name="demo-app",
        Protocol="HTTP",
        Port=PORT,
        VpcId=vpc,
        # Tasks in awsvpc mode are registered by address.
        TargetType="ip",
        HealthCheckPath="/health",
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
    )
    return target_group


def _alarm(sandbox: Sandbox, target_group: str) -> None:
    cloudwatch = client(sandbox, "cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=ALARM,
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        # CloudWatch names a target group by the last part of its ARN.
        Dimensions=[{"Name": "TargetGroup", "Value": target_group.rsplit(":", 1)[-1]}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=10,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    set_alarm(sandbox, "OK", "No answer with a 5xx code.")


def set_alarm(sandbox: Sandbox, state: str, reason: str) -> None:
    """Put the demo's alarm into ``state``, as CloudWatch would after an evaluation."""
    cloudwatch = client(sandbox, "cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason=reason)
