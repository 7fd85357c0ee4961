"""BuildKit for a sandbox, and the buildx files through which clients find it (facts F40)."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.sandbox.processes import MARK_VARIABLE, start

if TYPE_CHECKING:
    from migrate.sandbox.layout import Layout
    from migrate.sandbox.state import ProcessRecord, SandboxState

NAME = "buildkitd"
#: The builder's name as buildx clients see it.
BUILDER = "migrate-sandbox"
#: BuildKit looks for a container runtime when it starts, but the sandbox's builds only copy files and never run one.
_RUNTIME = """#!/bin/sh
echo "The sandbox's BuildKit runs no containers: use COPY and ADD only, or put runc on PATH before 'sandbox up'." >&2
exit 1
"""


def socket_path(state: SandboxState) -> Path:
    """BuildKit's socket; in a folder of its own, since a socket's path may have 107 bytes at most."""
    return Path(state.run_directory) / "buildkitd.sock"


def start_buildkit(program: Path, state: SandboxState, layout: Layout) -> ProcessRecord:
    """Write BuildKit's settings and start it; without root, as root of a user namespace of its own."""
    if shutil.which("runc") is None and shutil.which("buildkit-runc") is None:
        runtime = layout.programs / "runc"
        runtime.write_text(_RUNTIME)
        runtime.chmod(0o755)
    settings = layout.buildkit / "buildkitd.toml"
    settings.write_text(_settings(state, layout))
    socket_path(state).unlink(missing_ok=True)
    command: tuple[str | Path, ...] = (program, "--config", settings)
    if os.geteuid() != 0:
        unshare = shutil.which("unshare") or "unshare"
        command = (unshare, "--user", "--map-root-user", "--mount", *command, "--rootless")
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    environment = {
        **kept,
        "PATH": f"{layout.programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "XDG_RUNTIME_DIR": state.run_directory,
        MARK_VARIABLE: state.mark,
    }
    return start(NAME, command, environment, layout.logs / "buildkitd.log")


def advice() -> str:
    """Return what to look at first when BuildKit does not start; empty when nothing stands out."""
    if os.geteuid() == 0:
        return ""
    if shutil.which("unshare") is None:
        return "Without root BuildKit needs `unshare`, of Debian's package util-linux. "
    return (
        "Without root BuildKit needs user namespaces: run as root, or let ordinary users have them "
        "(`sysctl kernel.unprivileged_userns_clone=1`, or AppArmor's kernel.apparmor_restrict_unprivileged_userns=0). "
    )


def _settings(state: SandboxState, layout: Layout) -> str:
    # The native snapshotter copies files instead of mounting overlays: it works on every file system and without root,
    # and the demo's images have one file.
    quoted = {name: json.dumps(str(value)) for name, value in _paths(state, layout).items()}
    return f"""root = {quoted["root"]}

[grpc]
address = [{quoted["address"]}]

[otel]
socketPath = {quoted["traces"]}

[worker.oci]
enabled = true
snapshotter = "native"
gc = false

[worker.containerd]
enabled = false

[cdi]
disabled = true

{registry_settings(state, layout)}"""


def registry_settings(state: SandboxState, layout: Layout) -> str:
    """Return the part of BuildKit's settings that makes it trust the sandbox's registry."""
    return f"""[registry.{json.dumps(state.registry_host)}]
http = false
insecure = false
ca = [{json.dumps(str(layout.authority))}]
"""


def _paths(state: SandboxState, layout: Layout) -> dict[str, str | Path]:
    return {
        "root": layout.buildkit / "content",
        "address": f"unix://{socket_path(state)}",
        # Its usual place is one for the whole machine, and root's.
        "traces": Path(state.run_directory) / "traces.sock",
    }


def write_buildx(state: SandboxState, layout: Layout) -> None:
    """Write the builder as buildx keeps it, so that every client with BUILDX_CONFIG finds and prefers it."""
    instance = {
        "Name": BUILDER,
        "Driver": "remote",
        "Nodes": [
            {
                "Name": f"{BUILDER}0",
                "Endpoint": f"unix://{socket_path(state)}",
                "Platforms": None,
                "DriverOpts": None,
                "Flags": None,
                "Files": None,
            }
        ],
        "Dynamic": False,
    }
    (layout.buildx / "instances" / BUILDER).write_text(json.dumps(instance))
    (layout.buildx / "current").write_text(json.dumps({"Key": "", "Name": BUILDER, "Global": True}))
    config = layout.docker / "config.json"
    if not config.exists():
        config.write_text("{}\n")


def buildkit_answers(state: SandboxState) -> bool:
    """Whether BuildKit accepts connections; it opens its socket only after its worker is ready."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(5)
        return probe.connect_ex(str(socket_path(state))) == 0
