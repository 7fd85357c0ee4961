"""The certificates of a sandbox: an authority of its own, and a bundle that trusts it beside the system's roots."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.sandbox.layout import Layout


def issue(layout: Layout) -> None:
    """Write authority, server certificate, key and bundle, unless they are there already.

    The server's names are those that mean loopback on every machine.
    """
    if layout.bundle.exists():
        return
    import trustme

    authority = trustme.CA(organization_name="migrate sandbox")
    server = authority.issue_cert("localhost", "127.0.0.1", "::1")
    layout.server_certificate.write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
    layout.server_key.touch(mode=0o600)
    layout.server_key.write_bytes(server.private_key_pem.bytes())
    layout.authority.write_bytes(authority.cert_pem.bytes())
    # SSL_CERT_FILE and AWS_CA_BUNDLE replace the system's roots, so the bundle must hold them too. Written last: its
    # presence says that everything is there.
    beside = layout.bundle.with_suffix(".new")
    beside.write_bytes(system_roots() + b"\n" + authority.cert_pem.bytes())
    beside.replace(layout.bundle)


def system_roots() -> bytes:
    """Return the certificates that this machine trusts, as PEM; empty when none are to be found."""
    defaults = ssl.get_default_verify_paths()
    candidates = (os.environ.get("SSL_CERT_FILE"), defaults.cafile, "/etc/ssl/certs/ca-certificates.crt")
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return Path(candidate).read_bytes()
    import certifi

    return Path(certifi.where()).read_bytes()
