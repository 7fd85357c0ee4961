"""The load balancer of tasks that are containers, over real sockets: who is asked, who is not, and what is checked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from migrate.sandbox.front.balancer import Balancer, HealthCheck
from migrate.sandbox.front.engine import EngineSettings
from migrate.sandbox.front.records import Live, Target, TargetState, Task
from migrate.sandbox.front.settings import FrontSettings
from migrate.sandbox.processes import free_port
from tests.fakes.front_account import Account
from tests.fakes.front_hosts import InProcess

GROUP = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/1"
SETTINGS = FrontSettings(port=1, registry_host="localhost:1", engine=EngineSettings("unix:///engine", "net", "a=b"))


class _Server(ThreadingHTTPServer):
    health = 200


class _Service(BaseHTTPRequestHandler):
    """Answers /health with the status of its server, and everything else with what was asked."""

    server: _Server

    def do_GET(self) -> None:
        self._answer(self.server.health if self.path == "/health" else 200, f"GET {self.path}".encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self._answer(201, self.headers["x-told"].encode() + b" " + body)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-from", str(self.server.server_port))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(health: int = 200) -> Iterator[int]:
    with _Server(("127.0.0.1", 0), _Service) as server:
        server.health = health
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def host() -> InProcess:
    """Give a front with a service of two tasks, of which nothing runs yet."""
    host = InProcess(SETTINGS)
    made = Account(host)
    made.ecs.create_service(
        cluster=made.cluster,
        serviceName=made.name,
        taskDefinition=made.define(),
        desiredCount=2,
        launchType="FARGATE",
        healthCheckGracePeriodSeconds=5,
        loadBalancers=[{"targetGroupArn": GROUP, "containerName": "app", "containerPort": 8080}],
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    )
    return host


def targets(host: InProcess, *ports: int, state: TargetState = TargetState.HEALTHY) -> list[Target]:
    found = []
    for task, port in zip(host.front.world.tasks.values(), ports, strict=True):
        target = Target(port, state, "")
        task.address, task.live = "127.0.0.1", Live(status="RUNNING", targets={GROUP: target})
        found.append(target)
    host.front.advance()
    return found


def asked(
    host: InProcess, method: str = "GET", path: str = "/", body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """Ask the balancer once, as the server around it would."""
    scope = {"type": "http", "method": method, "path": path, "query_string": b"a=b"}
    scope["headers"] = [(b"host", b"localhost"), (b"x-told", b"hello"), (b"connection", b"keep-alive")]
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(host.front.balancer(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(item.get("body", b"") for item in sent[1:])


def watched(balancer: Balancer, seconds: float) -> None:
    async def watch() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(balancer.watch(), seconds)

    asyncio.run(watch())


def test_requests_go_to_healthy_targets_in_turn_and_come_back_whole(host: InProcess) -> None:
    with served() as one, served() as other:
        first, _ = targets(host, one, other)
        assert {asked(host)[1]["x-from"] for _ in range(2)} == {str(one), str(other)}
        status, headers, body = asked(host, "POST", "/path", b"content")
        assert (status, body) == (201, b"hello content")
        assert headers["content-length"] == str(len(body))
        assert asked(host, path="/x")[2] == b"GET /x?a=b"
        first.state = TargetState.DRAINING
        assert {asked(host)[1]["x-from"] for _ in range(4)} == {str(other)}
        assert first.in_flight == 0


def test_an_unhealthy_target_is_asked_only_when_no_healthy_one_is_left(host: InProcess) -> None:
    with served() as one, served() as other:
        first, second = targets(host, one, other)
        first.state = TargetState.UNHEALTHY
        assert {asked(host)[1]["x-from"] for _ in range(4)} == {str(other)}
        second.state = TargetState.UNHEALTHY
        assert {asked(host)[1]["x-from"] for _ in range(4)} == {str(one), str(other)}


def test_without_a_target_it_says_so_and_a_dead_one_is_a_bad_gateway(host: InProcess) -> None:
    assert asked(host)[0] == 503
    targets(host, free_port(), free_port())
    assert asked(host)[0] == 502


def test_a_target_that_passes_once_is_healthy_and_one_that_fails_twice_is_not(host: InProcess) -> None:
    with served() as good, served(500) as bad:
        passing, failing = targets(host, good, bad, state=TargetState.INITIAL)
        balancer = host.front.balancer
        # The fake AWS has no target groups that could tell.
        balancer._checks[GROUP] = HealthCheck("/health", "200-299")
        watched(balancer, 0.5)
        assert (passing.state, failing.state) == (TargetState.HEALTHY, TargetState.INITIAL)
        watched(balancer, 0.5)
        assert (failing.state, failing.reason) == (TargetState.UNHEALTHY, "Target.ResponseCodeMismatch")
        assert outcomes(host) == [None, None]
        host.now += 6
        watched(balancer, 0.5)
        assert outcomes(host)[0] is None
        code, reason = outcomes(host)[1] or ("", "")
        assert (code, reason) == (
            "ServiceSchedulerInitiated",
            f"Task failed ELB health checks in (target-group {GROUP})",
        )


def outcomes(host: InProcess) -> list[tuple[str, str] | None]:
    return [task.live.outcome for task in _tasks(host) if task.live]


def _tasks(host: InProcess) -> list[Task]:
    return list(host.front.world.tasks.values())


@pytest.mark.parametrize(
    ("codes", "status", "passes"),
    [("200", 200, True), ("200", 204, False), ("200,204", 204, True), ("200-299", 299, True), ("200-299", 300, False)],
)
def test_a_matcher_takes_codes_lists_and_ranges(codes: str, status: int, passes: bool) -> None:
    assert HealthCheck("/", codes).passes(status) == passes
