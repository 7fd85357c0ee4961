"""The front as a process: one port for plain HTTP and TLS, loopback only, and an end without leftovers."""

from __future__ import annotations

import socket
import ssl
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
import trustme

from tests.fakes.front_hosts import WholeProcess, whole_process


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def test_one_port_speaks_plain_http_and_tls(ministack_python: Path, authority: trustme.CA, tmp_path: Path) -> None:
    server = authority.issue_cert("localhost", "127.0.0.1")
    chain, key, trust = tmp_path / "chain.pem", tmp_path / "key.pem", tmp_path / "ca.pem"
    chain.write_bytes(b"".join(item.bytes() for item in server.cert_chain_pems))
    server.private_key_pem.write_to_path(str(key))
    authority.cert_pem.write_to_path(str(trust))
    with whole_process(ministack_python, "--cert", str(chain), "--key", str(key)) as host:
        context = ssl.create_default_context(cafile=str(trust))
        secure = f"https://localhost:{host.port}"
        with urllib.request.urlopen(f"{secure}/v2/", context=context, timeout=20) as answered:  # noqa: S310 - loopback
            assert (answered.status, answered.read()) == (200, b"{}")
        assert host.http("GET", "/v2/")[0] == 200
        keys: Any = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        sts = boto3.client("sts", endpoint_url=secure, verify=str(trust), **keys)
        assert sts.get_caller_identity()["Account"] == "000000000000"
        _a_silent_client_is_no_harm(host)

        def ask(number: int) -> int:
            if number % 2:
                return host.http("GET", "/v2/")[0]
            with urllib.request.urlopen(f"{secure}/v2/", context=context, timeout=20) as answered:  # noqa: S310
                return int(answered.status)

        with ThreadPoolExecutor(16) as threads:
            assert set(threads.map(ask, range(200))) == {200}
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", host.port))


def _a_silent_client_is_no_harm(host: WholeProcess) -> None:
    with socket.create_connection(("127.0.0.1", host.port)):
        assert host.http("GET", "/_sandbox/ready")[0] == 200
    with socket.create_connection(("127.0.0.1", host.port), timeout=20) as broken:
        broken.sendall(b"\x16not a handshake at all, but its first byte says so")
        assert broken.recv(100) is not None
    assert host.http("GET", "/_sandbox/ready")[0] == 200


def test_without_a_certificate_tls_is_turned_away(live_front: WholeProcess) -> None:
    context = ssl._create_unverified_context()  # noqa: S323 - whatever it is, it must not answer
    with (
        socket.create_connection(("127.0.0.1", live_front.port), timeout=20) as plain,
        pytest.raises(OSError, match=r"."),
    ):
        context.wrap_socket(plain)


def test_it_listens_on_loopback_only(live_front: WholeProcess) -> None:
    others = {str(item[4][0]) for item in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in others:
        if not address.startswith("127."):
            with pytest.raises(OSError, match=r"."), socket.create_connection((address, live_front.port), timeout=5):
                pass
