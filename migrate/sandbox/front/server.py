"""The process: MiniStack's application wrapped by the front, behind one port for HTTP and TLS."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import ssl
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrate.sandbox.front.app import Front
from migrate.sandbox.front.engine import Engine
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
    # By it MiniStack itself finds the account of a session; it has no public name for that.
    account_of: Any = importlib.import_module("ministack.core.responses")._account_from_sts_session  # noqa: SLF001
    engine = Engine(settings.engine) if settings.engine else None
    front = Front(inner_app, settings, time.time, engine, account_of)
    with tempfile.TemporaryDirectory(prefix="migrate-front-") as directory:
        inner = Path(directory) / "inner.sock"

        def served(app: object, bind: str) -> asyncio.Task[None]:
            config = hypercorn.Config()
            config.bind, config.keep_alive_timeout, config.loglevel = [bind], 75, "WARNING"
            return asyncio.create_task(serving.serve(app, config, shutdown_trigger=ending.wait))

        servers = {served(front, f"unix:{inner}")}
        background = [SniffingListener(settings.port, inner, _tls_context(settings)).serve(), _tick(front)]
        if front.containers is not None:
            await front.containers.prepare()
            servers.add(served(front.balancer, f"127.0.0.1:{settings.balancer_port}"))
            background.append(front.balancer.watch())
        running = {asyncio.create_task(work) for work in background}
        stop = asyncio.create_task(ending.wait())
        done, _ = await asyncio.wait([*servers, *running, stop], return_when=asyncio.FIRST_COMPLETED)
        ending.set()
        for task in running:
            task.cancel()
        if front.containers is not None:
            front.containers.close()
            front.balancer.close()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.gather(*servers)
        for ended in done:
            # What ended the process by an error must be seen in the log.
            if not ended.cancelled() and ended.exception() is not None:
                raise RuntimeError("a part of the endpoint ended") from ended.exception()


async def _tick(front: Front) -> None:
    """Let deployments go on while nobody asks."""
    while True:
        await asyncio.sleep(_TICK_SECONDS)
        front.advance()
