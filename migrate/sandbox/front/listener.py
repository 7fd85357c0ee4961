"""One port for plain HTTP and TLS: the first byte of a connection decides, the rest is relayed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

_TLS_HANDSHAKE = 0x16  # ContentType of the first TLS record, RFC 8446 section 5.1
_CHUNK = 1 << 16


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


class SniffingListener:
    """Accepts on 127.0.0.1, ends TLS where it is spoken, and relays the plain bytes to a unix socket."""

    def __init__(self, port: int, inner: Path, tls: ssl.SSLContext | None) -> None:
        self._port = port
        self._inner = inner
        self._tls = tls
        self._connections: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Accept until cancelled; raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("127.0.0.1", self._port))
            listening.listen(128)
            listening.setblocking(False)
            try:
                while True:
                    connection, _ = await loop.sock_accept(listening)
                    task = asyncio.create_task(self._handle(connection))
                    self._connections.add(task)
                    task.add_done_callback(self._connections.discard)
            finally:
                for task in tuple(self._connections):
                    task.cancel()

    async def _handle(self, connection: socket.socket) -> None:
        try:
            first = await self._first_byte(connection)
        except (OSError, asyncio.CancelledError):
            first = b""
        secure = first[:1] == bytes([_TLS_HANDSHAKE])
        if not first or (secure and self._tls is None):
            connection.close()
            return
        # From here on the transport owns the socket: closing it here too would close whatever takes its number next.
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self._relay(connection, self._tls if secure else None)

    async def _first_byte(self, connection: socket.socket) -> bytes:
        loop = asyncio.get_running_loop()
        readable = loop.create_future()

        def arrived() -> None:
            if not readable.done():
                readable.set_result(None)

        loop.add_reader(connection, arrived)
        try:
            await readable
        finally:
            loop.remove_reader(connection)
        return connection.recv(1, socket.MSG_PEEK)

    async def _relay(self, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_CHUNK)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=tls)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        async with contextlib.AsyncExitStack() as ending:
            ending.callback(writer.close)
            inner_reader, inner_writer = await asyncio.open_unix_connection(str(self._inner))
            ending.callback(inner_writer.close)
            requests = asyncio.create_task(_copy(reader, inner_writer))
            ending.callback(requests.cancel)
            # A client that only closes its sending half still waits for the answer; the inner server decides.
            await _copy(inner_reader, writer)
