"""What the front needs of MiniStack, as an ASGI application: clusters, task definitions, repositories, blobs.

The contract suite of the front (tests/contracts/test_aws_front.py) runs over this and over the real MiniStack.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

Json = dict[str, Any]
_BLOB = re.compile(r"^/v2/(?P<name>.+)/blobs/(?P<digest>sha256:[0-9a-f]{64})$")
_OK, _CREATED, _ACCEPTED, _BAD, _MISSING = 200, 201, 202, 400, 404


class InnerAws:
    """One account and region, as soft as MiniStack."""

    def __init__(self) -> None:
        self.clusters: dict[str, Json] = {}
        self.definitions: dict[str, Json] = {}
        self.providers: dict[str, Json] = {}
        self.repositories: dict[str, Json] = {}
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one HTTP request."""
        message = await receive()
        body = message.get("body", b"")
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        operation = headers.get("x-amz-target", "").partition(".")[2]
        self.asked.append(operation or scope["path"])
        if operation:
            status, payload = self._api(operation, json.loads(body or b"{}"))
            await _send(send, status, json.dumps(payload).encode(), {})
            return
        status, content, extra = self._registry(scope["method"], scope["path"], scope["query_string"].decode(), body)
        await _send(send, status, content, extra)

    def _api(self, operation: str, request: Json) -> tuple[int, Json]:
        handler = getattr(self, f"_{re.sub(r'(?<!^)(?=[A-Z])', '_', operation).lower()}", None)
        if handler is None:
            return _BAD, {"__type": "InvalidAction", "message": operation}
        try:
            return _OK, handler(request)
        except KeyError as error:
            return _BAD, {"__type": "ClientException", "message": f"there is no {error}"}

    def _create_cluster(self, request: Json) -> Json:
        name = request.get("clusterName", "default")
        cluster = {
            "clusterName": name,
            "clusterArn": f"arn:aws:ecs:us-east-1:000000000000:cluster/{name}",
            "status": "ACTIVE",
            "capacityProviders": request.get("capacityProviders", []),
            "defaultCapacityProviderStrategy": request.get("defaultCapacityProviderStrategy", []),
        }
        self.clusters[name] = cluster
        return {"cluster": cluster}

    def _describe_clusters(self, request: Json) -> Json:
        names = [item.rpartition("/")[2] for item in request.get("clusters", ["default"])]
        return {"clusters": [dict(self.clusters[name]) for name in names if name in self.clusters], "failures": []}

    def _delete_cluster(self, request: Json) -> Json:
        return {"cluster": self.clusters.pop(request["cluster"].rpartition("/")[2])}

    def _put_cluster_capacity_providers(self, request: Json) -> Json:
        cluster = self.clusters[request["cluster"]]
        cluster["capacityProviders"] = request["capacityProviders"]
        cluster["defaultCapacityProviderStrategy"] = request["defaultCapacityProviderStrategy"]
        return {"cluster": cluster}

    def _create_capacity_provider(self, request: Json) -> Json:
        self.providers[request["name"]] = {**request, "status": "ACTIVE"}
        return {"capacityProvider": self.providers[request["name"]]}

    def _describe_capacity_providers(self, _request: Json) -> Json:
        fargate: list[Json] = [
            {"name": name, "status": "ACTIVE", "autoScalingGroupProvider": {}} for name in ("FARGATE", "SPOT")
        ]
        return {"capacityProviders": [*fargate, *self.providers.values()]}

    def _list_account_settings(self, request: Json) -> Json:
        return {"settings": [{"name": request["name"], "value": "enabled", "type": "aws"}]}

    def _register_task_definition(self, request: Json) -> Json:
        revision = 1 + sum(item["family"] == request["family"] for item in self.definitions.values())
        key = f"{request['family']}:{revision}"
        arn = f"arn:aws:ecs:us-east-1:000000000000:task-definition/{key}"
        definition = {**request, "revision": revision, "taskDefinitionArn": arn, "status": "ACTIVE", "ipcMode": ""}
        definition["compatibilities"] = [*request.get("requiresCompatibilities", []), "EC2"]
        self.definitions[key] = definition
        return {"taskDefinition": definition, "tags": request.get("tags", [])}

    def _describe_task_definition(self, request: Json) -> Json:
        definition = self.definitions[request["taskDefinition"].rpartition("/")[2]]
        return {"taskDefinition": definition, "tags": definition.get("tags", [])}

    def _deregister_task_definition(self, request: Json) -> Json:
        definition = self.definitions[request["taskDefinition"].rpartition("/")[2]]
        definition["status"] = "INACTIVE"
        return {"taskDefinition": definition}

    def _list_task_definitions(self, request: Json) -> Json:
        prefix = request.get("familyPrefix", "")
        known = [item for item in self.definitions.values() if item["family"].startswith(prefix)]
        return {"taskDefinitionArns": [item["taskDefinitionArn"] for item in known if item["status"] == "ACTIVE"]}

    def _create_repository(self, request: Json) -> Json:
        name = request["repositoryName"]
        self.repositories[name] = {
            "repositoryName": name,
            "repositoryArn": f"arn:aws:ecr:us-east-1:000000000000:repository/{name}",
            "registryId": "000000000000",
            "repositoryUri": f"000000000000.dkr.ecr.us-east-1.amazonaws.com/{name}",
            "imageTagMutability": request.get("imageTagMutability", "MUTABLE"),
        }
        return {"repository": dict(self.repositories[name])}

    def _describe_repositories(self, request: Json) -> Json:
        names = request.get("repositoryNames") or list(self.repositories)
        return {"repositories": [dict(self.repositories[name]) for name in names]}

    def _delete_repository(self, request: Json) -> Json:
        return {"repository": self.repositories.pop(request["repositoryName"])}

    def _get_authorization_token(self, _request: Json) -> Json:
        return {"authorizationData": [{"authorizationToken": "QVdTOng=", "expiresAt": 1, "proxyEndpoint": "https://x"}]}

    def _registry(self, method: str, path: str, query: str, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        if method == "POST":
            return _ACCEPTED, b"", {"location": f"{path}one"}
        if method == "PUT":
            name = path.removeprefix("/v2/").partition("/blobs/")[0]
            digest = query.partition("digest=")[2]
            assert digest == f"sha256:{hashlib.sha256(body).hexdigest()}"
            self.blobs[name, digest] = body
            return _CREATED, b"", {}
        match = _BLOB.match(path)
        content = self.blobs.get((match["name"], match["digest"])) if match else None
        if content is None:
            return _MISSING, b"{}", {}
        return _OK, b"" if method == "HEAD" else content, {"content-length": str(len(content))}


async def _send(send: Any, status: int, body: bytes, headers: dict[str, str]) -> None:
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
