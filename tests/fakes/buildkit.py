"""A BuildKit that answers ListWorkers on a socket of its own, as buildkitd 0.34 does on the wire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from migrate.core.image.names import Platform

_SERVICE = "moby.buildkit.v1.Control"


def _field(number: int, body: bytes) -> bytes:
    """Return a length-delimited protobuf field; bodies here are shorter than 16 KiB."""
    length = bytes([len(body)]) if len(body) < 128 else bytes([len(body) & 0x7F | 0x80, len(body) >> 7])
    return bytes([number << 3 | 2]) + length + body


def workers_answer(*workers: Sequence[Platform]) -> bytes:
    """Return a ListWorkersResponse with an id, labels and a version, as the real one has beside the platforms."""
    records = []
    for platforms in workers:
        label = _field(1, b"org.mobyproject.buildkit.worker.executor") + _field(2, b"oci")
        body = _field(1, b"worker-id") + _field(2, label)
        for platform in platforms:
            parts = (platform.architecture, platform.os, platform.variant)
            fields = b"".join(_field(number, part.encode()) for number, part in enumerate(parts, 1) if part)
            body += _field(3, fields)
        records.append(_field(1, body + _field(5, _field(2, b"v0.34.2"))))
    return b"".join(records)


@contextmanager
def buildkit(address: str, answer: bytes) -> Iterator[None]:
    """Serve one answer at ``unix:PATH`` or ``127.0.0.1:PORT``."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    method: Any = grpc.unary_unary_rpc_method_handler(lambda _request, _context: answer)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {"ListWorkers": method}),))
    server.add_insecure_port(address)
    server.start()
    try:
        yield
    finally:
        server.stop(None).wait()
        Path(address.removeprefix("unix:")).unlink(missing_ok=True)
