"""The process between a registry's clients and the sandbox: microburst, on one port for plain HTTP and TLS (F39)."""

from __future__ import annotations

import argparse
import asyncio
import random
import ssl
import tempfile
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


async def _serve(given: argparse.Namespace, folder: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(given.cert, given.key)
    runner = web.AppRunner(_app(Microburst(given.upstream)))
    await runner.setup()
    inner = folder / "inner.sock"
    await web.UnixSite(runner, str(inner)).start()
    await SniffingListener(given.port, inner, tls).serve()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cert", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    given = parser.parse_args()
    # Microburst has no seed of its own, and draws from Python's one generator.
    random.seed(given.seed)
    with tempfile.TemporaryDirectory(prefix="migrate-registry-") as folder:
        asyncio.run(_serve(given, Path(folder)))


if __name__ == "__main__":
    main()
