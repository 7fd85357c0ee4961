"""A scripted AWS in a process of its own: real HTTP, the rates of facts F21, and a count of what it was asked."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from migrate.core.rate_limits import api_group
from tests.fakes.fleet_account import FleetWorld, parsed_request

_THROTTLED = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'


class Buckets:
    """The account's token buckets, whole, as AWS keeps them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[float, float]] = {}
        self.calls: Counter[str] = Counter()
        self.throttled: Counter[str] = Counter()

    def admit(self, operation: str) -> bool:
        """Take a token for one call; False where there is none."""
        group, now = api_group(operation), time.monotonic()
        with self._lock:
            self.calls[operation] += 1
            held, at = self._held.get(group.name, (group.rate.burst, now))
            held = min(group.rate.burst, held + group.rate.refill * (now - at))
            admitted = held >= 1
            self._held[group.name] = (held - admitted, now)
            self.throttled[operation] += not admitted
        return admitted


class Handler(BaseHTTPRequestHandler):
    """One connection; answers in one packet, so that nothing waits for an acknowledgement."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    world: FleetWorld
    buckets: Buckets

    def do_GET(self) -> None:
        if self.path == "/_counts":
            counts = {"calls": self.buckets.calls, "throttled": +self.buckets.throttled}
            self._reply(200, "application/json", json.dumps(counts).encode())
        elif self.path.rstrip("/") == "/v2":
            self._reply(200, "application/json", b"{}")
        else:
            self.buckets.calls["registry:GET"] += 1
            self._reply(200, *self.world.blob(self.path))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        operation, asked = parsed_request(self.headers.get("X-Amz-Target", ""), body)
        if not self.buckets.admit(operation):
            self._reply(
                400, "application/x-amz-json-1.1", b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'
            )
            return
        answer: Any = self.world.answer(operation, asked)
        if isinstance(answer, str):
            self._reply(200, "text/xml", answer.encode())
        else:
            self._reply(200, "application/x-amz-json-1.1", json.dumps(answer).encode())

    def _reply(self, status: int, kind: str, body: bytes) -> None:
        head = f"HTTP/1.1 {status} Answer\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Say nothing: what was asked is counted."""


@contextmanager
def served(size: int) -> Iterator[int]:
    """Serve a fleet of so many services as long as the block lasts; give the port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        port = server.server_address[1]
        Handler.world, Handler.buckets = FleetWorld(size, f"127.0.0.1:{port}"), Buckets()
        serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        serving.start()
        yield port
        server.shutdown()
        serving.join()


def main() -> None:
    """Serve a fleet of the size given on the command line until standard input closes; print the port first."""
    with served(int(sys.argv[1])) as port:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
