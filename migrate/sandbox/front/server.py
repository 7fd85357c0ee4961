"""The process: MiniStack's application wrapped by the front, behind one port for HTTP and TLS."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import signal
import ssl
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrate.sandbox.front.app import Front
from migrate.sandbox.front.listener import SniffingListener
from migrate.sandbox.front.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.sandbox.front.settings import FrontSettings

_TICK_SECONDS = 0.1


def run(arguments: Sequence[str]) -> None:
    """Serve until SIGTERM or SIGINT; raises OSError when the port is taken."""
    settings = read_settings(arguments, os.environ)
    # MiniStack reads these when it is imported; its side services would take fixed ports of the machine.
    os.environ.update(GATEWAY_PORT=str(settings.port), BIND_HOST="127.0.0.1", IOT_MTLS_ENABLED="0", SFTP_ENABLED="0")
    os.environ.pop("USE_SSL", None)
    asyncio.run(_serve(settings))


def _tls_context(settings: FrontSettings) -> ssl.SSLContext | None:
    if settings.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.certificate, settings.key)
    return context


async def _serve(settings: FrontSettings) -> None:
    # Imported by name: they are installed in MiniStack's environment only.
    inner_app: Any = importlib.import_module("ministack.app").app
    hypercorn: Any = importlib.import_module("hypercorn.config")
    serving: Any = importlib.import_module("hypercorn.asyncio")
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ending.set)
    front = Front(inner_app, settings, time.time)
    with tempfile.TemporaryDirectory(prefix="migrate-front-") as directory:
        inner = Path(directory) / "inner.sock"
        config = hypercorn.Config()
        config.bind = [f"unix:{inner}"]
        config.keep_alive_timeout = 75
        config.loglevel = "WARNING"
        server = asyncio.create_task(serving.serve(front, config, shutdown_trigger=ending.wait))
        listener = asyncio.create_task(SniffingListener(settings.port, inner, _tls_context(settings)).serve())
        ticking = asyncio.create_task(_tick(front))
        stop = asyncio.create_task(ending.wait())
        await asyncio.wait({server, listener, ticking, stop}, return_when=asyncio.FIRST_COMPLETED)
        ending.set()
        for task in (listener, ticking):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listener
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
        await server


async def _tick(front: Front) -> None:
    """Let deployments go on while nobody asks."""
    while True:
        await asyncio.sleep(_TICK_SECONDS)
        front.advance()
