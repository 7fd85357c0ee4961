"""A cluster with both Fargate providers in a front under test, and the moves that tests make in it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fakes.front_hosts import Answer, FrontHost


def a_program(machine: int) -> bytes:
    """Make a layer with an ELF file for ``machine`` at /app."""
    content = b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little") + bytes(44)
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w:gz") as archive:
        member = tarfile.TarInfo("app")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return layer.getvalue()


@dataclass
class Account:
    """A cluster with both Fargate providers in a front, and the moves that tests make in it."""

    host: FrontHost

    def __post_init__(self) -> None:
        """Make clients, and names that no other test has."""
        self.ecs = self.host.client("ecs")
        self.ecr = self.host.client("ecr")
        self.cluster = f"c{os.urandom(4).hex()}"
        self.name = f"web-{os.urandom(4).hex()}"
        self.repository = f"r{os.urandom(4).hex()}"
        self.ecs.create_cluster(clusterName=self.cluster)
        providers = ["FARGATE", "FARGATE_SPOT"]
        self.ecs.put_cluster_capacity_providers(
            cluster=self.cluster, capacityProviders=providers, defaultCapacityProviderStrategy=[]
        )

    def blob(self, content: bytes) -> Any:
        """Push a blob; gives its descriptor."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        started = self.host.http("POST", f"/v2/{self.repository}/blobs/uploads/")
        location = started[1]["location"]
        mark = "&" if "?" in location else "?"
        ended = self.host.http("PUT", f"{location}{mark}digest={digest}", content, {"content-type": "application/x"})
        assert ended[0] == 201
        return {"digest": digest, "size": len(content)}

    def image_text(self, architecture: str, salt: str = "", machine: int | None = None) -> bytes:
        """Push the blobs of an image and give its manifest, not pushed; ``machine`` is its program's e_machine."""
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        document = {"architecture": architecture, "os": "linux", "salt": salt, "config": {"Entrypoint": ["/app"]}}
        config = self.blob(json.dumps(document).encode())
        layer = self.blob(f"layer {architecture} {salt}".encode() if machine is None else a_program(machine))
        config["mediaType"] = "application/vnd.docker.container.image.v1+json"
        layer["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip"
        return json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}).encode()

    def push(self, body: bytes, reference: str) -> Answer:
        """Push a manifest by its own media type."""
        kind = json.loads(body)["mediaType"]
        return self.host.http("PUT", f"/v2/{self.repository}/manifests/{reference}", body, {"content-type": kind})

    def index_text(self, *children: tuple[str, bytes]) -> bytes:
        """Push children by digest and give the index over them, not pushed."""
        entries = []
        for architecture, body in children:
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
            assert self.push(body, digest)[0] == 201
            platform = {"os": "linux", "architecture": architecture}
            entries.append(
                {
                    "mediaType": json.loads(body)["mediaType"],
                    "digest": digest,
                    "size": len(body),
                    "platform": platform,
                }
            )
        kind = "application/vnd.oci.image.index.v1+json"
        return json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries}).encode()

    def define(self, image: str = "elsewhere/app:1", **changes: Any) -> str:
        """Register a revision; gives its ARN."""
        request = {
            "family": f"f-{self.cluster}",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
            "networkMode": "awsvpc",
            "containerDefinitions": [{"name": "app", "image": image}],
            **changes,
        }
        return str(self.ecs.register_task_definition(**request)["taskDefinition"]["taskDefinitionArn"])

    def create(self, definition: str | None = None, **changes: Any) -> None:
        """Create the service of the test and wait until it is steady."""
        request = {
            "cluster": self.cluster,
            "serviceName": self.name,
            "taskDefinition": definition or self.define(),
            "desiredCount": 4,
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
            **changes,
        }
        if "launchType" not in request and "capacityProviderStrategy" not in request:
            request["launchType"] = "FARGATE"
        self.ecs.create_service(**request)
        self.settle()

    def update(self, **changes: Any) -> Any:
        """Update the service of the test."""
        return self.ecs.update_service(cluster=self.cluster, service=self.name, **changes)["service"]

    def service(self) -> Any:
        """Describe the service of the test."""
        return self.ecs.describe_services(cluster=self.cluster, services=[self.name])["services"][0]

    def primary(self) -> Any:
        """Describe the PRIMARY deployment of the test."""
        return next(item for item in self.service()["deployments"] if item["status"] == "PRIMARY")

    def tasks(self, desired: str = "RUNNING") -> Any:
        """Describe the tasks of the test."""
        arns = self.ecs.list_tasks(cluster=self.cluster, serviceName=self.name, desiredStatus=desired)["taskArns"]
        return self.ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"] if arns else []

    def settle(self, seconds: float = 20.0) -> Any:
        """Wait until the PRIMARY deployment ended and no other is left; gives the service."""
        for _ in range(round(seconds / 0.2)):
            service = self.service()
            states = {item["rolloutState"] for item in service["deployments"]}
            if states == {"COMPLETED"} and len(service["deployments"]) == 1:
                return service
            self.host.wait(0.2)
        raise AssertionError(self.service()["deployments"])

    def fault(self, **fault: Any) -> None:
        """Post a fault for the service of the test."""
        status, _, body = self.host.http("POST", "/_sandbox/faults", json.dumps(fault).encode())
        assert status == 200, body

    def forget_faults(self) -> None:
        """Let nothing go wrong any more."""
        assert self.host.http("DELETE", "/_sandbox/faults", b"")[0] == 200


def refused(call: Any, **arguments: Any) -> tuple[str, str]:
    """Return code and text of the error that a call must end in."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]
