"""Every request that came in, counted by who sent it and what it asked: the permissions that a client needs.

``GET /_sandbox/calls`` shows the counts, ``DELETE`` forgets them.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.sandbox.front.http import Json, Request

_SIGNED_SERVICE = re.compile(r"Credential=[^/,\s]+/\d+/[^/]+/([^/]+)/aws4_request")
_REGISTRY_ACTS = (
    (re.compile(r"/manifests/[^/]+$"), {"GET": "GetManifest", "HEAD": "GetManifest", "PUT": "PutManifest"}),
    (
        re.compile(r"/blobs/uploads/.*$"),
        {"POST": "StartUpload", "PATCH": "UploadChunk", "PUT": "FinishUpload", "GET": "UploadStatus"},
    ),
    (re.compile(r"/blobs/[^/]+$"), {"GET": "GetBlob", "HEAD": "HasBlob"}),
    (re.compile(r"/tags/list$"), {"GET": "ListTags"}),
)


class CallLog:
    """Counts of ``agent`` and ``service:Operation``; the registry protocol's service is ``registry``."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def note(self, request: Request, operation: str) -> None:
        """Count a request of an AWS API; one that names no operation is none."""
        signed = _SIGNED_SERVICE.search(request.headers.get("authorization", ""))
        if operation:
            self._counts[_agent(request), f"{signed[1] if signed else '?'}:{operation}"] += 1

    def note_registry(self, request: Request) -> None:
        """Count a request of the registry protocol; the bare version check asks for nothing."""
        for shape, acts in _REGISTRY_ACTS:
            if shape.search(request.path):
                self._counts[_agent(request), f"registry:{acts.get(request.method, request.method)}"] += 1
                return

    def forget(self) -> None:
        """Start counting anew."""
        self._counts.clear()

    def listed(self) -> list[Json]:
        """All counts, sorted by agent and call."""
        return [{"agent": agent, "call": call, "count": count} for (agent, call), count in sorted(self._counts.items())]


def _agent(request: Request) -> str:
    """Return who asks: the first product of the User-Agent, or ours where it names itself at the end."""
    told = request.headers.get("user-agent", "")
    return "ecs-migrate" if "ecs-migrate/" in told else told.partition("/")[0] or "unknown"
