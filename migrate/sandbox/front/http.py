"""Requests and answers as plain records, between the ASGI protocol and everything else."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

Json = dict[str, Any]

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/[^/]+/aws4_request")


@dataclass(frozen=True, slots=True)
class Scope:
    """The account and region that a request speaks about: every record belongs to one pair."""

    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """Return the Amazon Resource Name of ``resource`` in this scope."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, whole; header names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def action(self) -> tuple[str, str]:
        """Service prefix and operation of the JSON protocol's target header, or two empty strings."""
        prefix, _, operation = self.headers.get("x-amz-target", "").partition(".")
        return prefix, operation

    def signed_for(self, account: str, region: str, account_of: Callable[[str], str | None] = lambda _: None) -> Scope:
        """Return the scope of the SigV4 header; as in MiniStack, an access key of 12 digits is the account.

        ``account_of`` tells the account of a role's session by its access key.
        """
        match = _CREDENTIAL.search(self.headers.get("authorization", ""))
        if match is None:
            return Scope(account, region)
        key, signed_region = match.groups()
        return Scope(key if re.fullmatch(r"\d{12}", key) else account_of(key) or account, signed_region)

    def json(self) -> Json:
        """Return the body as a JSON object; anything else counts as empty, as a missing body does."""
        try:
            payload = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return payload if isinstance(payload, dict) else {}


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer, whole."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class AwsError(Exception):
    """An error as the AWS JSON protocols answer it: ``code`` is the exception's name in the service model."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def answer(payload: Json, status: int = 200) -> Response:
    """Return a JSON 1.1 answer."""
    headers = {"content-type": "application/x-amz-json-1.1", "x-amzn-requestid": str(uuid.uuid4())}
    return Response(status, headers, json.dumps(payload).encode())


def refusal(error: AwsError) -> Response:
    """Return the JSON 1.1 answer for an error."""
    response = answer({"__type": error.code, "message": error.message}, error.status)
    response.headers["x-amzn-errortype"] = error.code
    return response


async def read_request(scope: MutableMapping[str, Any], receive: Receive) -> Request:
    """Read a whole request from ASGI."""
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            break
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}
    return Request(
        scope["method"], scope["path"], scope.get("query_string", b"").decode("latin-1"), headers, b"".join(chunks)
    )


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives a body already read, and then what really arrives."""
    waiting = [body]

    async def replay() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replay


async def send_response(response: Response, send: Send) -> None:
    """Write a whole answer to ASGI."""
    headers = dict(response.headers)
    headers.setdefault("content-length", str(len(response.body)))
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    await send({"type": "http.response.body", "body": response.body, "more_body": False})
