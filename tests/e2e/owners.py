"""Owners of the demo's service: what `migrate plan` prints for them is all that they change, by the calls they make."""

from __future__ import annotations

import json
import ssl
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from migrate.sandbox.demo.build import VERSION, binary
from migrate.sandbox.demo.image import push, single_platform_image
from migrate.sandbox.demo.seed import REPOSITORY
from tests.e2e.conftest import Operator

_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
_REGISTERED = (
    *("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn", "taskRoleArn"),
    *("containerDefinitions", "runtimePlatform"),
)


def push_index(operator: Operator) -> None:
    """Let the service's tag hold an index, as a CI pushes it: the amd64 half is the image that was there."""
    sandbox, context = operator.sandbox, operator.seeded.context
    halves = []
    for architecture in ("amd64", "arm64"):
        image = single_platform_image(binary(context, architecture).read_bytes(), architecture)
        push(image, sandbox.registry_host, REPOSITORY, f"ci-{architecture}", sandbox.layout.authority)
        media_type = json.loads(image.manifest)["mediaType"]
        platform = {"architecture": architecture, "os": "linux"}
        size = len(image.manifest)
        halves.append({"mediaType": media_type, "digest": image.digest, "size": size, "platform": platform})
    body = json.dumps({"schemaVersion": 2, "mediaType": _INDEX, "manifests": halves})
    trust = ssl.create_default_context(cafile=str(sandbox.layout.authority))
    with httpx.Client(verify=trust, trust_env=False) as client:
        url = f"https://{sandbox.registry_host}/v2/{REPOSITORY}/manifests/{VERSION}"
        client.put(url, content=body, headers={"content-type": _INDEX}).raise_for_status()


@dataclass
class Owner:
    """Deploys one service of the sandbox. ``service`` is its name, ``directory`` where its migrate.toml stands."""

    operator: Operator
    service: str
    language: str
    directory: Path
    plan: dict[str, Any] = field(default_factory=dict)

    @property
    def arguments(self) -> tuple[str, str]:
        return "--config", str(self.directory / "migrate.toml")

    def described(self) -> Any:
        ecs, cluster = self.operator.aws("ecs"), self.operator.seeded.cluster
        return ecs.describe_services(cluster=cluster, services=[self.service])["services"][0]

    def planned(self, stage: int, *, back: bool = False) -> list[list[dict[str, str]]]:
        """Return the snippets of each deployment that the first plan shows for a stage."""
        shown = self._plan()["stages"][stage]
        return [change["snippets"] for change in ([shown["back"]] if back else shown["changes"])]

    def _plan(self) -> Any:
        if not self.plan:
            shown = self.operator.run("plan", *self.arguments, "--fail-on", "never", "--output", "json").json
            self.plan = shown["owner"]
            assert self.plan["language"] == self.language
        return self.plan

    def deploy(self, snippets: list[dict[str, str]], **wrong: Any) -> None:
        """Do what the snippets say, as the tool of this owner does it; ``wrong`` changes the container beside it."""
        {"ecspresso": self._ecspresso, "cloudformation": self._cloudformation}[self.language](snippets, wrong)

    def _ecspresso(self, snippets: list[dict[str, str]], wrong: dict[str, Any]) -> None:
        definition: dict[str, Any] = {}
        settings: dict[str, Any] = {}
        for snippet in snippets:
            if snippet["place"] == "ecs-task-def.json":
                definition |= json.loads(snippet["text"])
            elif snippet["place"] == "ecs-service-def.json":
                settings |= json.loads(snippet["text"])
            elif snippet["text"].startswith("aws ecs put-cluster-capacity-providers"):
                self._associate()
            elif snippet["text"].endswith("--force-new-deployment"):
                settings["forceNewDeployment"] = True
        # It registers a revision at every deployment, changed or not.
        self._update(self._registered(definition, wrong), settings)

    def _cloudformation(self, snippets: list[dict[str, str]], wrong: dict[str, Any]) -> None:
        (snippet,) = snippets
        definition: dict[str, Any] = {}
        settings: dict[str, Any] = {}
        for resource in json.loads(snippet["text"])["Resources"].values():
            properties = _in_the_apis_spelling(resource["Properties"])
            if resource["Type"] == "AWS::ECS::TaskDefinition":
                definition |= properties
            elif resource["Type"] == "AWS::ECS::ClusterCapacityProviderAssociations":
                self._associate()
            else:
                # A nonce that changes, and a strategy that does, force a deployment.
                settings |= {name: value for name, value in properties.items() if name != "forceNewDeployment"}
                settings["forceNewDeployment"] = True
        # It registers a revision only where the resource changes.
        changes = definition or wrong
        self._update(self._registered(definition, wrong) if changes else self.described()["taskDefinition"], settings)

    def _registered(self, changes: dict[str, Any], wrong: dict[str, Any]) -> str:
        ecs = self.operator.aws("ecs")
        current = ecs.describe_task_definition(taskDefinition=self.described()["taskDefinition"])["taskDefinition"]
        definition = deepcopy({name: current[name] for name in _REGISTERED if current.get(name)}) | changes
        definition["containerDefinitions"][0] |= wrong
        arn: str = ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
        return arn

    def _update(self, revision: str, settings: dict[str, Any]) -> None:
        ecs, cluster = self.operator.aws("ecs"), self.operator.seeded.cluster
        ecs.update_service(cluster=cluster, service=self.service, taskDefinition=revision, **settings)

    def _associate(self) -> None:
        self.operator.aws("ecs").put_cluster_capacity_providers(
            cluster=self.operator.seeded.cluster,
            capacityProviders=["FARGATE", "FARGATE_SPOT"],
            defaultCapacityProviderStrategy=[],
        )


def _in_the_apis_spelling(value: Any) -> Any:
    if isinstance(value, list):
        return [_in_the_apis_spelling(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name[:1].lower() + name[1:]: _in_the_apis_spelling(item) for name, item in value.items()}
