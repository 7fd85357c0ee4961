"""The process between a registry's clients and the sandbox: microburst, on one port for plain HTTP and TLS (F39)."""

from __future__ import annotations

import argparse
import asyncio
import random
import ssl
from pathlib import Path

from aiohttp import web
from microburst.control import CONTROL_PREFIX  # type: ignore[import-untyped]
from microburst.core.pipeline import Microburst  # type: ignore[import-untyped]

from migrate.sandbox.front.listener import SniffingListener

_LARGEST_LAYER = 1 << 30


def _app(microburst: Microburst) -> web.Application:
    # Microburst's own takes a request of at most a MiB.
    app = web.Application(client_max_size=_LARGEST_LAYER)
    app.on_startup.append(microburst.start)
    app.on_cleanup.append(microburst.stop)
    app.router.add_route("*", f"{CONTROL_PREFIX}/{{tail:.*}}", microburst.handle_control)
    app.router.add_route("*", "/{tail:.*}", microburst.handle_proxy)
    return app


async def _serve(given: argparse.Namespace) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(given.cert, given.key)
    runner = web.AppRunner(_app(Microburst(given.upstream)))
    await runner.setup()
    await web.UnixSite(runner, str(given.socket)).start()
    await SniffingListener(given.port, given.socket, tls).serve()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cert", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--socket", type=Path, required=True, help="where to listen behind that port")
    parser.add_argument("--seed", type=int, required=True)
    given = parser.parse_args()
    # Microburst has no seed of its own, and draws from Python's one generator.
    random.seed(given.seed)
    asyncio.run(_serve(given))


if __name__ == "__main__":
    main()
