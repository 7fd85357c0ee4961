"""An HTTP endpoint on loopback that answers as it is told, and keeps what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebEndpoint:
    """``status``, ``body`` and ``headers`` of the next answers; ``delay`` in seconds before and within them."""

    url: str = ""
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    asked: list[Request] = field(default_factory=list)


@contextmanager
def web_endpoint() -> Iterator[WebEndpoint]:
    endpoint = WebEndpoint()
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            endpoint.asked.append(Request(self.command, self.path, dict(self.headers), body))
            over.wait(endpoint.delay)
            try:
                self.send_response(endpoint.status if self.path != "/end" else 200)
                for name, value in endpoint.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(endpoint.body)))
                self.end_headers()
                self.wfile.write(endpoint.body)
            except OSError:
                # Who did not want to wait any longer has gone.
                return

        do_GET = do_HEAD = do_POST = do_OPTIONS = _answer  # noqa: N815 - the names that the server looks for

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    endpoint.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield endpoint
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()
