"""Calls of MiniStack in the same process, through its ASGI application and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from migrate.sandbox.front.http import AwsError, Json, Request, Response, Scope

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from migrate.sandbox.front.http import App

ECS_TARGET = "AmazonEC2ContainerServiceV20141113"
ECR_TARGET = "AmazonEC2ContainerRegistry_V20150921"
_SIGNED_AS = {ECS_TARGET: "ecs", ECR_TARGET: "ecr"}


class Upstream:
    """The wrapped application, asked as a client would ask it."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def send(self, request: Request) -> Response:
        """Pass ``request`` on and gather the whole answer."""
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()]
        scope: MutableMapping[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": request.path,
            "raw_path": request.path.encode("latin-1"),
            "query_string": request.query.encode("latin-1"),
            "headers": headers,
            "client": ("127.0.0.1", 0),
        }
        status, received, chunks = 500, {}, []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def collect(message: MutableMapping[str, Any]) -> None:
            nonlocal status, received
            if message["type"] == "http.response.start":
                status = message["status"]
                received = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in message.get("headers", [])}
            elif message["type"] == "http.response.body":
                chunks.append(bytes(message.get("body", b"")))

        await self._app(scope, receive, collect)
        return Response(status, received, b"".join(chunks))

    async def form(self, scope: Scope, service: str, action: str, parameters: dict[str, str]) -> str:
        """Call one operation of a query protocol and return the text of its answer, whatever it says."""
        credential = f"{scope.account}/20260101/{scope.region}/{service}/aws4_request"
        headers = {
            "host": "127.0.0.1",
            "content-type": "application/x-www-form-urlencoded; charset=utf-8",
            "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
        }
        body = urlencode({"Action": action, **parameters}).encode()
        return (await self.send(Request("POST", "/", "", headers, body))).body.decode()

    async def api(self, scope: Scope, target: str, operation: str, payload: Json) -> Json:
        """Call one operation of a JSON protocol; an error answer is raised as :class:`AwsError`."""
        credential = f"{scope.account}/20260101/{scope.region}/{_SIGNED_AS[target]}/aws4_request"
        headers = {
            "host": "127.0.0.1",
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"{target}.{operation}",
            "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
        }
        response = await self.send(Request("POST", "/", "", headers, json.dumps(payload).encode()))
        result: Json = json.loads(response.body or b"{}")
        if response.status >= 300:  # noqa: PLR2004 - the first status that is no success
            code = str(result.get("__type", "ServerException")).rpartition("#")[2]
            raise AwsError(code, str(result.get("message", result.get("Message", ""))), response.status)
        return result
