"""A team's program on the real engine: the components take the place of its resources, and go through the stages.

The programs are those of stacks/components/README.md, as they stand there.
"""

from __future__ import annotations

import base64
import json
import runpy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi.automation import LocalWorkspaceOptions, Stack, StackSettings, create_stack
from pulumi.automation.errors import CommandError

from migrate.adapters.pulumi.engine import Engine
from migrate.adapters.pulumi.events import EventCollector
from migrate.core.stack.preview import Preview
from migrate.sandbox.demo.build import binary, lay_out
from migrate.sandbox.demo.network import client
from migrate.sandbox.sandbox import Sandbox
from migrate.sandbox.toolchain.progress import Progress
from tests.docs.markdown import ROOT, code_blocks

pytestmark = pytest.mark.e2e

BEFORE, AFTER, DONE = code_blocks(ROOT / "stacks" / "components" / "README.md", "python")
REPOSITORY, CLUSTER, TAG, SHELF = "shop/web", "shop", "tag1", "migrate-index-tag1"
COMPONENTS = {"web", "web-image"}
MADE = {"web-image-build", "web-image-index", "web-image-published"}
OURS = {"image", "web-task", "web-service", "web-task-arm64", *MADE}
FARGATE = [{"capacityProvider": "FARGATE", "base": 0, "weight": 1}]
SPOT = [
    {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
    {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 3},
]


def declare_others() -> None:
    """Declare what stands beside the service in the team's program: bucket, queue, and a service of somebody else's."""
    aws.s3.Bucket("receipts", bucket="shop-receipts", tags={"team": "shop"})
    aws.sqs.Queue("orders", name="shop-orders")
    containers = json.dumps([{"name": "app", "image": "busybox:1", "essential": True}])
    definition = aws.ecs.TaskDefinition(
        "mailer-task",
        family="mailer",
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        container_definitions=containers,
    )
    aws.ecs.Service(
        "mailer",
        name="mailer",
        cluster=CLUSTER,
        task_definition=definition.arn,
        desired_count=1,
        launch_type="FARGATE",
        network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(subnets=["subnet-a"]),
    )
    pulumi.export("mailer", definition.arn)


@dataclass
class Team:
    """The team's stack, and how it is looked at and worked on."""

    sandbox: Sandbox
    stack: Stack
    settings: StackSettings
    programs: Mapping[str, Callable[[], None]]
    own: dict[str, Any]
    ecs: Any
    ecr: Any

    def configure(self, **keys: object) -> None:
        """Write the stack's configuration: the team's own keys and these of the contract, and no other."""
        told = {f"migrate:{key}": item if isinstance(item, str) else json.dumps(item) for key, item in keys.items()}
        self.settings.config = {**self.own, **told}
        self.stack.workspace.save_stack_settings(self.stack.name, self.settings)

    def preview(self, program: str = "after") -> dict[str, str]:
        """Return what would be done, by logical name."""
        collector = EventCollector()
        self.stack.preview(program=self.programs[program], on_event=collector)
        return {change.name: change.operation for change in Preview("shop", collector.resources).changes}

    def up(self, program: str = "after") -> dict[str, str]:
        """Return what was done, by logical name."""
        collector = EventCollector()
        self.stack.up(program=self.programs[program], on_event=collector)
        return {change.name: change.operation for change in Preview("shop", collector.resources).changes}

    def others(self) -> dict[str, Any]:
        """Return what is none of the migration's: its resources in the state, and its service in the world."""
        held = json.loads(self.state())["checkpoint"]["latest"]["resources"]
        state = {item["urn"]: item for item in held if _name(item) not in {*OURS, *COMPONENTS}}
        stack = next(item for item in state.values() if item["type"] == "pulumi:pulumi:Stack")
        del stack["modified"]
        return {"state": state, "mailer": self._described("mailer")}

    def state(self) -> str:
        path = self.sandbox.layout.pulumi_state / ".pulumi" / "stacks" / "shop" / "prod.json"
        return path.read_text(encoding="utf-8")

    def token(self) -> str:
        """Return the registry's password."""
        token = self.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        return base64.b64decode(token).decode().partition(":")[2]

    def service(self) -> Any:
        return self._described("web")

    def digest(self, tag: str) -> str:
        held = self.ecr.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])
        digest: str = held["images"][0]["imageId"]["imageDigest"]
        return digest

    def _described(self, name: str) -> Any:
        return self.ecs.describe_services(cluster=CLUSTER, services=[name])["services"][0]


def _name(resource: Mapping[str, Any]) -> str:
    name: str = resource["urn"].rpartition("::")[2]
    return name


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with Sandbox.start(tmp_path / "sandbox") as sandbox:
        context = lay_out(tmp_path / "context", sandbox.go, Progress())
        ecs, ecr = client(sandbox, "ecs"), client(sandbox, "ecr")
        ecr.create_repository(repositoryName=REPOSITORY)
        ecs.create_cluster(clusterName=CLUSTER, capacityProviders=["FARGATE", "FARGATE_SPOT"])
        environment = sandbox.environment()
        options = LocalWorkspaceOptions(env_vars=environment, pulumi_command=Engine(environment))
        stack = create_stack("prod", project_name="shop", program=declare_others, opts=options)
        named = {"repository": REPOSITORY, "cluster": CLUSTER, "context": str(context), "builder": sandbox.builder}
        own = {f"shop:{key}": value for key, value in named.items()}
        texts = {"before": BEFORE, "after": AFTER, "done": DONE}
        programs = {name: _program(tmp_path, name, text) for name, text in texts.items()}
        yield Team(sandbox, stack, stack.workspace.stack_settings("prod"), programs, own, ecs, ecr)


def _program(directory: Path, name: str, text: str) -> Callable[[], None]:
    path = directory / f"{name}.py"
    path.write_text(text, encoding="utf-8")

    def program() -> None:
        declare_others()
        runpy.run_path(str(path))

    return program


def test_the_components_take_over_go_through_the_stages_and_back_and_touch_nothing_else(team: Team) -> None:
    team.configure()
    team.up("before")
    deployed, others, original = team.service(), team.others(), team.digest(TAG)
    stage: dict[str, object] = {"stage": "0", "image": "original", "originalDigest": original}

    def goes_on(done: dict[str, str], **keys: object) -> None:
        stage.update(keys)
        team.configure(**stage)
        assert team.up() == done
        assert team.others() == others

    team.configure(**stage)
    assert team.preview() == dict.fromkeys(COMPONENTS, "create")
    goes_on(dict.fromkeys(COMPONENTS, "create"))
    assert team.service() == deployed

    update = {"web-service": "update"}
    goes_on({**dict.fromkeys(MADE, "create"), **update}, image="shelved", capacity=FARGATE, deployment=original)
    assert team.digest(TAG) == original
    goes_on({"web-image-published": "update", **update}, stage="1", image="index", deployment=team.digest(SHELF))
    assert team.digest(TAG) == team.digest(SHELF) != original
    _release_is_refused(team)
    goes_on({"web-task-arm64": "create", **update}, stage="2", architecture="ARM64", arm64Revision="true")
    assert _runs(team) == (_family(deployed, 2), FARGATE)
    goes_on(update, stage="3", capacity=SPOT)
    assert _runs(team) == (_family(deployed, 2), SPOT)
    assert team.preview("done") == {"image": "update", **dict.fromkeys({"web-task", *MADE, *COMPONENTS}, "delete")}
    back = {"capacity": FARGATE, "architecture": "X86_64", "image": "shelved", "deployment": original}
    goes_on({"web-image-published": "update", **update}, stage="0", **back)
    assert _runs(team) == (deployed["taskDefinition"], FARGATE)
    assert team.token() not in team.state()
    # The revision of stage 2 is still there: nothing has to be made for a second time.
    team.configure(**{**stage, "architecture": "ARM64"})
    assert team.preview() == update


def _release_is_refused(team: Team) -> None:
    program = binary(Path(team.own["shop:context"]), "amd64")
    released = program.read_bytes()
    program.write_bytes(released + b"\0")
    with pytest.raises(CommandError, match="would push one platform over it") as refused:
        team.preview()
    assert "Traceback" not in str(refused.value)
    program.write_bytes(released)


def _runs(team: Team) -> tuple[str, Any]:
    service = team.service()
    return service["taskDefinition"], service["capacityProviderStrategy"]


def _family(service: Any, revision: int) -> str:
    return f"{service['taskDefinition'].rpartition(':')[0]}:{revision}"
