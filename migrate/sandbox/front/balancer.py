"""An application load balancer for tasks that are containers: health checks, requests to healthy targets, draining.

After the Elastic Load Balancing user guide, "Health checks for Application Load Balancer target groups": a target is
healthy after its first passed check and unhealthy after two failed ones; with no healthy target all are tried.
"""

from __future__ import annotations

import asyncio
import http.client
import itertools
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrate.sandbox.front.http import Request, Response, read_request, send_response
from migrate.sandbox.front.records import TargetState

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from migrate.sandbox.front.http import Receive, Scope, Send
    from migrate.sandbox.front.records import Service, Target, Task
    from migrate.sandbox.front.upstream import Upstream
    from migrate.sandbox.front.world import World

_AT_ONCE = 64
_ANSWER_SECONDS = 60.0  # idle timeout of a load balancer, by default
_CHECK_SECONDS = 5.0
_BETWEEN_CHECKS_SECONDS = 1.0
_FAILED_CHECKS = 2
# Of one connection only (RFC 9110, section 7.6.1); the length is written anew.
_HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"}


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How the targets of a group are checked: the path, and the status codes that pass."""

    path: str = "/"
    codes: str = "200"

    def passes(self, status: int) -> bool:
        """Whether a matcher such as ``200``, ``200,202`` or ``200-299`` takes the status."""
        for part in self.codes.split(","):
            first, _, last = part.partition("-")
            if int(first) <= status <= int(last or first):
                return True
        return False


class Balancer:
    """Serves the target groups of all services; an ASGI application."""

    def __init__(self, world: World, upstream: Upstream) -> None:
        self._world = world
        self._upstream = upstream
        self._turns = itertools.count()
        self._checks: dict[str, HealthCheck] = {}
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="balancer")

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass one request on to a target and its answer back."""
        if scope["type"] == "http":
            await send_response(await self._answer(await read_request(scope, receive)), send)

    async def watch(self) -> None:
        """Check the health of all targets, for ever."""
        while True:
            await asyncio.gather(*(self._check(*found) for found in tuple(self._members())))
            await asyncio.sleep(_BETWEEN_CHECKS_SECONDS)

    def close(self) -> None:
        """Take no more requests."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _members(self) -> Iterator[tuple[Service, str, Task, Target]]:
        for service in tuple(self._world.services.values()):
            group = f"service:{service.name}"
            for task in tuple(self._world.tasks.values()):
                if task.live is not None and task.group == group and task.cluster == service.cluster_arn:
                    for arn, target in task.live.targets.items():
                        yield service, arn, task, target

    async def _answer(self, request: Request) -> Response:
        chosen = self._choose(request.headers.get("host", ""))
        if chosen is None:
            return Response(503, {"content-type": "text/plain"}, b"no target is registered\n")
        task, target = chosen
        target.in_flight += 1
        try:
            return await self._ask(task.address, target.port, request, _ANSWER_SECONDS)
        except TimeoutError:
            return Response(504, {"content-type": "text/plain"}, b"the target did not answer in time\n")
        except (OSError, http.client.HTTPException) as error:
            return Response(502, {"content-type": "text/plain"}, f"{task.address}: {error!r}\n".encode())
        finally:
            target.in_flight -= 1

    def _choose(self, host: str) -> tuple[Task, Target] | None:
        """Return the next target in turn, of the group that the first label of ``host`` names or of the only one."""
        found = [(arn, task, target) for _, arn, task, target in self._members()]
        named = f":targetgroup/{host.partition('.')[0]}/"
        groups = {arn for arn, _, _ in found}
        wanted = next((arn for arn in groups if named in arn), min(groups, default=""))
        members = [
            (task, target) for arn, task, target in found if arn == wanted and target.state is not TargetState.DRAINING
        ]
        healthy = [(task, target) for task, target in members if target.state is TargetState.HEALTHY]
        choice = healthy or members
        return choice[next(self._turns) % len(choice)] if choice else None

    async def _check(self, service: Service, arn: str, task: Task, target: Target) -> None:
        if target.state is TargetState.DRAINING:
            return
        how = await self._health_check(service.scope, arn)
        request = Request("GET", how.path, headers={"host": f"{task.address}:{target.port}"})
        try:
            status = (await self._ask(task.address, target.port, request, _CHECK_SECONDS)).status
            failure = "" if how.passes(status) else "Target.ResponseCodeMismatch"
        except TimeoutError:
            failure = "Target.Timeout"
        except (OSError, http.client.HTTPException):
            failure = "Target.FailedHealthChecks"
        target.checked(failure, _FAILED_CHECKS)
        grace = float(service.settings.get("healthCheckGracePeriodSeconds") or 0)
        late = task.started is not None and self._world.clock() > task.started + grace
        if target.state is TargetState.UNHEALTHY and late and task.live is not None and task.live.outcome is None:
            why = f"Task failed ELB health checks in (target-group {arn})"
            task.live.outcome = ("ServiceSchedulerInitiated", why)

    async def _health_check(self, scope: Scope, arn: str) -> HealthCheck:
        if arn not in self._checks:
            form = {"Version": "2015-12-01", "TargetGroupArns.member.1": arn}
            told = await self._upstream.form(scope, "elasticloadbalancing", "DescribeTargetGroups", form)
            path = re.search("<HealthCheckPath>([^<]+)</HealthCheckPath>", told)
            codes = re.search("<HttpCode>([^<]+)</HttpCode>", told)
            self._checks[arn] = HealthCheck(path.group(1) if path else "/", codes.group(1) if codes else "200")
        return self._checks[arn]

    async def _ask(self, address: str, port: int, request: Request, seconds: float) -> Response:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _exchange, address, port, request, seconds)


def _exchange(address: str, port: int, request: Request, seconds: float) -> Response:
    """Send one request over a connection of its own; raises OSError, TimeoutError or HTTPException."""
    target = f"{request.path}?{request.query}" if request.query else request.path
    headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
    connection = http.client.HTTPConnection(address, port, timeout=seconds)
    try:
        connection.request(request.method, target, request.body or None, {**headers, "connection": "close"})
        answered = connection.getresponse()
        kept = {name.lower(): value for name, value in answered.getheaders() if name.lower() not in _HOP_BY_HOP}
        return Response(answered.status, kept, answered.read())
    finally:
        connection.close()
