from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import threading
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner

from migrate.cli.sandbox import command
from migrate.errors import NotFoundError
from migrate.sandbox import Sandbox, builder, certificates, plugins
from migrate.sandbox.layout import Layout
from migrate.sandbox.sandbox import OUTSIDE_VARIABLES, stop
from migrate.sandbox.state import SandboxState, save
from migrate.sandbox.toolchain.parts import Toolchain


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "sandbox")
    made.make()
    return made


@pytest.fixture
def state(tmp_path: Path) -> SandboxState:
    (tmp_path / "run").mkdir()
    return SandboxState("mark", 4566, "localhost:4566", str(tmp_path / "run"), ("/tools/pulumi",), "/tools/go")


def _tools(folder: Path, *, real_aws: bool = False) -> Toolchain:
    for name in ("docker-build", "real-aws"):
        (folder / name).write_text(name)
    return Toolchain(
        go=folder / "go",
        pulumi=folder / "pulumi",
        docker_build=folder / "docker-build",
        buildkitd=folder / "buildkitd",
        ministack_python=folder / "python",
        aws_plugin=folder / "real-aws" if real_aws else None,
    )


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_client_with_the_bundle_trusts_the_endpoint_under_each_loopback_name(layout: Layout, name: str) -> None:
    certificates.issue(layout)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(layout.server_certificate, layout.server_key)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with server.wrap_socket(connection, server_side=True) as secure:
                secure.sendall(b"hello")

        thread = threading.Thread(target=serve)
        thread.start()
        trust = ssl.create_default_context(cafile=str(layout.bundle))
        with (
            socket.create_connection(listening.getsockname()) as plain,
            trust.wrap_socket(plain, server_hostname=name) as secure,
        ):
            assert secure.recv(5) == b"hello"
        thread.join()


def test_the_bundle_holds_the_systems_roots_beside_ours_and_is_issued_once(layout: Layout) -> None:
    certificates.issue(layout)
    bundle = layout.bundle.read_bytes()
    assert certificates.system_roots() in bundle
    assert layout.authority.read_bytes() in bundle
    assert layout.server_key.stat().st_mode & 0o077 == 0

    certificates.issue(layout)
    assert layout.bundle.read_bytes() == bundle


def test_buildkit_is_told_everything_inside_the_sandbox(layout: Layout, state: SandboxState) -> None:
    settings = tomllib.loads(builder._settings(state, layout))

    assert settings["root"].startswith(str(layout.root))
    assert settings["grpc"]["address"] == [f"unix://{state.run_directory}/buildkitd.sock"]
    assert settings["otel"]["socketPath"].startswith(state.run_directory)
    assert settings["registry"]["localhost:4566"] == {"http": False, "insecure": False, "ca": [str(layout.authority)]}
    assert settings["worker"]["oci"]["enabled"] is True
    assert settings["worker"]["containerd"]["enabled"] is False


def test_buildx_finds_the_builder_and_prefers_it(layout: Layout, state: SandboxState) -> None:
    builder.write_buildx(state, layout)

    instance = json.loads((layout.buildx / "instances" / builder.BUILDER).read_text())
    assert instance["Driver"] == "remote"
    assert [node["Endpoint"] for node in instance["Nodes"]] == [f"unix://{builder.socket_path(state)}"]
    assert json.loads((layout.buildx / "current").read_text())["Name"] == builder.BUILDER


def test_the_stand_in_is_installed_in_the_version_that_the_sdk_asks_for(layout: Layout, tmp_path: Path) -> None:
    plugins.install(_tools(tmp_path), layout, real_aws=True)

    folder = layout.pulumi_home / "plugins" / f"resource-aws-v{version('pulumi-aws')}"
    stand_in = folder / "pulumi-resource-aws"
    assert "migrate.sandbox.aws_plugin" in stand_in.read_text()
    assert os.access(stand_in, os.X_OK)
    docker = layout.pulumi_home / "plugins" / f"resource-docker-build-v{version('pulumi-docker-build')}"
    assert (docker / "pulumi-resource-docker-build").read_text() == "docker-build"


def test_the_real_plugin_is_taken_where_it_is_there_and_asked_for(layout: Layout, tmp_path: Path) -> None:
    tools = _tools(tmp_path, real_aws=True)
    place = layout.pulumi_home / "plugins" / f"resource-aws-v{version('pulumi-aws')}" / "pulumi-resource-aws"

    plugins.install(tools, layout, real_aws=True)
    assert place.read_text() == "real-aws"

    plugins.install(tools, layout, real_aws=False)
    assert "aws_plugin" in place.read_text()
    assert (tmp_path / "real-aws").read_text() == "real-aws", "the real plugin itself must not be written over"


def test_the_environment_leads_nowhere_but_into_the_sandbox(
    layout: Layout, state: SandboxState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://elsewhere")
    monkeypatch.setenv("PATH", "/usr/bin")

    environment = Sandbox(layout, state).environment()

    assert not set(OUTSIDE_VARIABLES) & set(environment)
    assert environment["AWS_ENDPOINT_URL"] == "https://localhost:4566"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert environment["PULUMI_BACKEND_URL"] == layout.pulumi_state.as_uri()
    assert environment["PATH"] == "/tools/pulumi:/usr/bin"


def test_env_sets_in_a_shell_what_programs_are_given(
    layout: Layout, state: SandboxState, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(state, layout.state)
    monkeypatch.setenv("MIGRATE_SANDBOX_DIR", str(layout.root))
    printed = CliRunner().invoke(command, ["env"]).output
    outer = {"PATH": "/usr/bin:/bin", "AWS_PROFILE": "production"}

    shell = subprocess.run(
        ["/bin/sh", "-c", f"{printed}\nenv"], env=outer, capture_output=True, text=True, check=True, timeout=30
    )

    seen = dict(line.split("=", 1) for line in shell.stdout.splitlines())
    sandbox = Sandbox(layout, state)
    assert sandbox.settings().items() <= seen.items()
    assert seen["PATH"] == "/tools/pulumi:/usr/bin:/bin"
    assert "AWS_PROFILE" not in seen


def test_status_tells_a_sandbox_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGRATE_SANDBOX_DIR", str(tmp_path / "none"))

    told = CliRunner().invoke(command, ["status", "--output", "json"])
    assert told.exit_code == 0
    assert json.loads(told.output)["running"] is False

    assert "migrate sandbox up" in CliRunner().invoke(command, ["status"]).output
    assert "was not running" in CliRunner().invoke(command, ["down"]).output
    assert not (tmp_path / "none").exists()
    with pytest.raises(NotFoundError, match="There is no sandbox"):
        Sandbox.open()


def test_status_tells_a_sandbox_whose_processes_have_died(
    layout: Layout, state: SandboxState, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(state, layout.state)
    monkeypatch.setenv("MIGRATE_SANDBOX_DIR", str(layout.root))

    assert "is not whole" in CliRunner().invoke(command, ["status"]).output
    told = json.loads(CliRunner().invoke(command, ["status", "--output", "json"]).output)
    assert [part["running"] for part in told["parts"]] == [False, False]


def test_down_clears_what_a_dead_sandbox_left(layout: Layout, state: SandboxState) -> None:
    save(state, layout.state)

    assert stop(layout.root) == 0

    assert not layout.state.exists()
    assert not Path(state.run_directory).exists()
    assert stop(layout.root) == 0
