"""Case C28 on the real engine: a registry that refuses, or has lost an image, takes nothing out of a stack's state."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
from pulumi.automation import Deployment

from migrate.adapters.pulumi.deployer import PulumiDeployer
from migrate.adapters.pulumi.workspace import StackKind
from migrate.core.desired_state import index_on_shelf
from migrate.core.stack.preview import IMAGE
from migrate.errors import UnsafePreviewError
from migrate.sandbox.sandbox import Sandbox
from tests.contracts.stack_scenes import EngineScene, sandbox_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

_BODIES = {
    403: {"code": "DENIED", "message": "token has expired"},
    404: {"code": "MANIFEST_UNKNOWN", "message": "gone"},
}


class RefusingRegistry:
    """A registry over TLS that answers everything but the probe with one status."""

    def __init__(self, sandbox: Sandbox, status: int) -> None:
        owner = self
        self.status = status

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Stay silent."""

            def do_GET(self) -> None:
                body = b"{}" if self.path == "/v2/" else json.dumps({"errors": [_BODIES[owner.status]]}).encode()
                self.send_response_only(200 if self.path == "/v2/" else owner.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else body)

            do_HEAD = do_GET  # noqa: N815 (the name that http.server asks for)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sandbox.layout.server_certificate, sandbox.layout.server_key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def host(self) -> str:
        return f"localhost:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    yield from sandbox_for(tmp_path_factory.mktemp("sandbox"))


def test_c28_a_refresh_that_is_refused_drops_nothing_and_one_that_would_drop_an_image_stops(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in sandbox.settings().items():
        monkeypatch.setenv(name, value)
    scene = EngineScene(sandbox, tmp_path)
    deployer = scene.stacks
    assert isinstance(deployer, PulumiDeployer)
    shelf = index_on_shelf(scene.record, scene.settings)
    built = deployer.up_image(shelf).output("index_digest")
    state = _exported(deployer)
    with RefusingRegistry(sandbox, 403) as registry:
        _import(deployer, _held_by(state, sandbox.registry_host, registry.host))
        # docker-build skips what it may not read (0.0.22, Image.Read and Index.Read); older ones took it for gone.
        deployer._refresh(StackKind.IMAGE)
        assert _names(_exported(deployer)) == _names(state)
        registry.status = 404
        with pytest.raises(UnsafePreviewError, match="would drop") as stopped:
            deployer._refresh(StackKind.IMAGE)
        assert "credentials" in stopped.value.then
        assert _names(_exported(deployer)) == _names(state)
    _import(deployer, state)
    deployer.refresh()
    assert deployer.up_image(shelf).output("index_digest") == built


def _exported(deployer: PulumiDeployer) -> Deployment:
    with deployer._operation(StackKind.IMAGE, "export", None) as (stack, _):
        return stack.export_stack()


def _import(deployer: PulumiDeployer, state: Deployment) -> None:
    with deployer._operation(StackKind.IMAGE, "import", None) as (stack, _):
        stack.import_stack(state)


def _held_by(state: Deployment, before: str, after: str) -> Deployment:
    """Return a state in which another registry holds everything, and the image under a tag as well."""
    content: dict[str, Any] = json.loads(json.dumps(state.deployment).replace(before, after))
    for resource in content["resources"]:
        if resource["type"] == IMAGE:
            tags = [f"{after}/team/app:tag1"]
            resource["inputs"] |= {"tags": tags, "push": True}
            resource["outputs"] |= {"tags": tags, "push": True}
    return Deployment(state.version, content)


def _names(state: Deployment) -> list[str]:
    content = state.deployment or {}
    return sorted(resource["urn"] for resource in content["resources"])
