"""A bad way to AWS: microburst between the tool, Pulumi's plugin and the sandbox, with AWS's own shapes of errors."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from migrate.sandbox.sandbox import Sandbox

Rule = Mapping[str, Any]

START_SECONDS = 60
# It has no seed of its own, and draws from Python's one generator.
_SEEDED = "import random, sys; random.seed(int(sys.argv.pop(1))); from microburst.cli import main; sys.exit(main())"
_QUERY = ("elasticloadbalancing", "iam", "sts", "ec2", "autoscaling")


def throttled(probability: float) -> list[Rule]:
    """Refuse this share of the calls for their rate, by the code that each kind of protocol has for it."""
    query: list[Rule] = [_error(probability, "Throttling", 400, service) for service in _QUERY]
    return [*query, _error(probability, "ThrottlingException", 400)]


def too_many_requests(probability: float) -> list[Rule]:
    """Refuse this share of a registry's requests for their rate (OCI distribution 1.1, TOOMANYREQUESTS)."""
    return [_error(probability, "TOOMANYREQUESTS", 429)]


def server_errors(probability: float) -> list[Rule]:
    """Answer this share of the calls with a fault of AWS's own: half of them 500, half 503."""
    half = probability / 2
    return [_error(half, "InternalFailure", 500), _error(half / (1 - half), "ServiceUnavailable", 503)]


def dropped_before(probability: float) -> list[Rule]:
    """Reset this share of the connections before the request has reached AWS."""
    return [{"service": "*", "probability": probability, "reset": True}]


def lost_answers(probability: float, operation: str = "", times: int = 0, by: str = "") -> list[Rule]:
    """Let this share of the requests take effect, and cut the connection before their answer has come."""
    return _narrowed({"service": "*", "probability": probability, "response": {"abort_bytes": 0}}, operation, times, by)


def no_answer(probability: float, seconds: float) -> list[Rule]:
    """Hold this share of the requests for so long; they never reach AWS."""
    return [{"service": "*", "probability": probability, "timeout_ms": seconds * 1000}]


def pushed(rules: Sequence[Rule], kind: str) -> list[Rule]:
    """Let these faults meet what brings a registry a manifest of this kind, and nothing else."""
    return [{**rule, "headers": {"content-type": kind}} for rule in rules]


def first(rules: Sequence[Rule], times: int) -> list[Rule]:
    """Let each of these faults happen so often, and no more."""
    return [{**rule, "times": times} for rule in rules]


def heard(operation: str, by: str = "") -> list[Rule]:
    """Let a request through, and count it."""
    return _narrowed({"service": "*", "latency": 1}, operation, 0, by)


def expired(access_key: str) -> list[Rule]:
    """Refuse whoever signs with this key, as AWS does once a session has ended."""
    return [
        {**_error(1, code, 400, service), "headers": {"authorization": f"Credential={access_key}/"}}
        for service, code in (*((name, "ExpiredToken") for name in _QUERY), ("*", "ExpiredTokenException"))
    ]


def _narrowed(rule: Rule, operation: str, times: int, by: str) -> list[Rule]:
    """``by`` is a part of the user agent: the tool's own calls are told from the plugin's by it."""
    narrow = {"operation": operation, "times": times, "headers": {"user-agent": by} if by else None}
    return [{**rule, **{name: value for name, value in narrow.items() if value}}]


def _error(probability: float, code: str, status: int, service: str = "*") -> Rule:
    return {"service": service, "probability": probability, "error": {"code": code, "status": status}}


@dataclass(frozen=True, slots=True)
class FaultyNetwork:
    """The way to AWS at ``endpoint``; without rules it is a good one."""

    endpoint: str

    def set(self, *rules: Sequence[Rule]) -> None:
        """Let these faults happen from now on, and no others; the first that strikes is the one."""
        flat = [rule for some in rules for rule in some]
        httpx.delete(f"{self.endpoint}/_microburst/fired").raise_for_status()
        httpx.post(f"{self.endpoint}/_microburst/rules", json=flat).raise_for_status()

    def struck(self, operation: str = "", action: str = "") -> int:
        """Return how often a rule met this operation, or any, since the rules were set: all, or those that did so."""
        asked = {"operation": operation} if operation else {}
        fired = httpx.get(f"{self.endpoint}/_microburst/fired", params=asked).json()
        return sum(str(fault["action"]).startswith(action) for fault in fired)


@contextmanager
def faulty_network(upstream: str, directory: Path, seed: int) -> Iterator[FaultyNetwork]:
    """Stand before an endpoint (plain HTTP); the same seed draws the same faults for the same order of calls."""
    port = _free_port()
    command = [sys.executable, "-c", _SEEDED, str(seed), "--upstream", upstream, "--port", str(port)]
    with _standing(command, port, directory / "faulty-network.log") as network:
        yield network


@contextmanager
def faulty_registry(sandbox: Sandbox, directory: Path, seed: int) -> Iterator[FaultyNetwork]:
    """Stand before the registry of a sandbox whose images are named by a host that nobody listens at yet."""
    layout, port = sandbox.layout, int(sandbox.registry_host.rpartition(":")[2])
    command = [
        *(sys.executable, "-m", "tests.fakes.faulty_registry_process", "--seed", str(seed), "--port", str(port)),
        *("--upstream", sandbox.endpoint.replace("https", "http")),
        *("--cert", str(layout.server_certificate), "--key", str(layout.server_key)),
    ]
    # The path of a socket may have 107 bytes at most, and that of a test's own folder has more.
    with tempfile.TemporaryDirectory(prefix="migrate-registry-") as folder:
        command += ["--socket", f"{folder}/inner.sock"]
        with _standing(command, port, directory / "faulty-registry.log") as network:
            yield network


@contextmanager
def _standing(command: Sequence[str], port: int, told: Path) -> Iterator[FaultyNetwork]:
    with (
        told.open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL) as process,
    ):
        try:
            network = FaultyNetwork(f"http://127.0.0.1:{port}")
            _until_it_answers(network, process)
            yield network
        finally:
            process.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _until_it_answers(network: FaultyNetwork, process: subprocess.Popen[bytes]) -> None:
    def answers() -> None:
        assert process.poll() is None, "microburst ended at once"
        httpx.get(f"{network.endpoint}/_microburst/health").raise_for_status()

    waiting = Retrying(
        retry=retry_if_exception_type(httpx.HTTPError),
        wait=wait_fixed(0.1),
        stop=stop_after_delay(START_SECONDS),
        reraise=True,
    )
    waiting(answers)
