"""The process: a gRPC server on loopback that tells the engine its port."""

from __future__ import annotations

import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc

from migrate.sandbox.aws_plugin.protocol import provider_pb2_grpc
from migrate.sandbox.aws_plugin.servicer import Servicer

_MOST_PARALLEL = 32
_LARGEST_MESSAGE = 400 * 1024 * 1024  # as the engine's own limit


def start(servicer: Servicer) -> tuple[grpc.Server, int]:
    """Start a server on a free port of 127.0.0.1; gives both."""
    limits = [("grpc.max_receive_message_length", _LARGEST_MESSAGE), ("grpc.max_send_message_length", _LARGEST_MESSAGE)]
    server = grpc.server(ThreadPoolExecutor(max_workers=_MOST_PARALLEL), options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def _warm_up() -> None:

    import migrate.sandbox.aws_plugin.operations  # noqa: F401


def serve() -> None:
    """Serve until the engine ends the process."""
    # Waited for, not handled: a handler that wakes its own thread can find it holding the very lock that it needs.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    server, port = start(Servicer())
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # The engine's first requests need neither the operations nor an API: both are imported while they are answered.
    threading.Thread(target=_warm_up, daemon=True).start()
    signal.sigwait(ends)
    server.stop(grace=1).wait()
