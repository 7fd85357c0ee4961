"""Registries behind a proxy that the environment names, as HTTPS_PROXY does."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import trustme

from migrate.adapters.registry.client import RegistryClient
from migrate.errors import AccessError
from tests.fakes.image_content import Shelf, two_platforms
from tests.fakes.image_registry import LoopbackRegistry

HOST = "registry.example"


@dataclass
class Proxy:
    """Tunnels every CONNECT to one server, whatever name was asked for; ``asked`` are those names."""

    target: str
    asked: list[str] = field(default_factory=list)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self._tunnel, args=(near,), daemon=True).start()

    def _tunnel(self, near: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += near.recv(1)
        self.asked.append(head.split(b" ")[1].decode())
        address, _, port = self.target.partition(":")
        with near, socket.create_connection((address, int(port))) as far:
            near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            threading.Thread(target=_pump, args=(near, far), daemon=True).start()
            _pump(far, near)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def running(target: str) -> Iterator[Proxy]:
    proxy = Proxy(target)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.listener.shutdown(socket.SHUT_RDWR)
        proxy.listener.close()
        thread.join(5)


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_a_registry_is_asked_through_the_proxy_and_its_certificate_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf()
    _, _, index = two_platforms(shelf)
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    with LoopbackRegistry(shelf, tls=context) as registry, running(registry.host) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with RegistryClient(sleep=lambda _: None, ca_file=str(ca_file)) as client:
            reference = replace(registry.reference(), registry=HOST)
            assert client.manifest(reference).digest == index["digest"]
    assert set(proxy.asked) == {f"{HOST}:443"}


def test_loopback_is_asked_past_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    two_platforms(shelf)
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with LoopbackRegistry(shelf) as registry, RegistryClient(sleep=lambda _: None) as client:
        assert client.manifest(registry.reference()).body


@pytest.mark.parametrize("proxy", ["socks5h://127.0.0.1:1", "gopher://127.0.0.1:1"])
def test_a_proxy_that_is_not_spoken_to_is_told(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(AccessError, match="proxy") as refused:
        RegistryClient(sleep=lambda _: None)
    assert "HTTPS_PROXY" in refused.value.then
