"""The AWS endpoint of a sandbox: MiniStack behind the strict front, one process in MiniStack's own environment."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from migrate.sandbox import engine
from migrate.sandbox.processes import MARK_VARIABLE, start

if TYPE_CHECKING:
    from migrate.sandbox.layout import Layout
    from migrate.sandbox.state import ProcessRecord, SandboxState

NAME = "aws"
_FRONT = Path(__file__).parent / "front" / "main.py"
_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
_SERVER_ERROR = 500


def start_aws(python: Path, state: SandboxState, layout: Layout) -> ProcessRecord:
    """Start the endpoint on the state's port with TLS and plain HTTP, on 127.0.0.1 only.

    Switches named ``MIGRATE_FRONT_*`` in this process's environment are passed on.
    """
    command: tuple[str | Path, ...] = (
        *(python, _FRONT, "--port", str(state.port)),
        *("--cert", layout.server_certificate, "--key", layout.server_key),
        *("--registry-host", state.registry_host),
    )
    if state.engine:
        command += ("--engine", state.engine, "--engine-network", engine.network(state))
        command += ("--engine-label", f"{engine.LABEL}={state.mark}", "--balancer-port", str(state.balancer_port))
    passed_on = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT_VARIABLES or name.startswith("MIGRATE_FRONT_")
    }
    environment = {
        **passed_on,
        "PYTHONUNBUFFERED": "1",
        # What it leaves there when it is killed goes with the folder.
        "TMPDIR": state.run_directory,
        # MiniStack must never find this machine's Docker engine: containers are the front's alone to run.
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "DOCKER_CONFIG": str(layout.docker),
        "MINISTACK_REGION": "us-east-1",
        "MINISTACK_HOST": "localhost",
        "GATEWAY_PORT": str(state.port),
        # Side services on fixed ports of the machine, which no part of the product uses.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        MARK_VARIABLE: state.mark,
    }
    return start(NAME, command, environment, layout.logs / "aws.log")


def aws_answers(state: SandboxState, layout: Layout) -> bool:
    """Whether something answers on the port over TLS under the sandbox's own certificate."""
    try:
        trust = ssl.create_default_context(cafile=str(layout.authority))
        answer = httpx.get(f"https://127.0.0.1:{state.port}/v2/", verify=trust, timeout=5, trust_env=False)
    except (OSError, httpx.HTTPError):
        return False
    return answer.status_code < _SERVER_ERROR
