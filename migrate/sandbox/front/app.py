"""The front's ASGI application: who answers which request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from migrate.sandbox.front import rollout, targets
from migrate.sandbox.front.application_autoscaling import APPLICATION_AUTOSCALING_TARGET, ApplicationAutoScaling
from migrate.sandbox.front.balancer import Balancer
from migrate.sandbox.front.calls import CallLog
from migrate.sandbox.front.container_instances import ContainerInstances
from migrate.sandbox.front.containers import Containers
from migrate.sandbox.front.ecr import Ecr
from migrate.sandbox.front.ecs_clusters import Clusters
from migrate.sandbox.front.ecs_deployments import ServiceDeployments
from migrate.sandbox.front.ecs_services import Services
from migrate.sandbox.front.ecs_tasks import Tasks
from migrate.sandbox.front.http import (
    AwsError,
    Request,
    Response,
    answer,
    read_request,
    refusal,
    replayed,
    send_response,
)
from migrate.sandbox.front.machines import Machines
from migrate.sandbox.front.registry import Registry, is_registry_path
from migrate.sandbox.front.upstream import ECR_TARGET, ECS_TARGET, Upstream
from migrate.sandbox.front.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from migrate.sandbox.front.engine import ContainerEngine
    from migrate.sandbox.front.http import App, Receive, Scope, Send
    from migrate.sandbox.front.settings import FrontSettings
    from migrate.sandbox.front.world import Clock

_CONTROL = "/_sandbox/"


class Front:
    """Wraps MiniStack's application ``inner``; ``clock`` gives seconds since the epoch, ``engine`` runs containers.

    ``account_of`` tells which account a role's session works in, by its access key.
    """

    def __init__(
        self,
        inner: App,
        settings: FrontSettings,
        clock: Clock,
        engine: ContainerEngine | None = None,
        account_of: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._inner = inner
        self._account_of = account_of
        self._settings = settings
        self.world = World(settings, clock)
        upstream = Upstream(inner)
        self._registry = Registry(self.world.images, upstream, settings, clock)
        self._ecr = Ecr(self.world.images, self._registry, upstream, settings).operations
        self._ecs = {
            **Clusters(self.world, upstream).operations,
            **Services(self.world, upstream).operations,
            **ServiceDeployments(self.world).operations,
            **Tasks(self.world, upstream).operations,
            **ContainerInstances(upstream, clock).operations,
        }
        self._application_autoscaling = ApplicationAutoScaling(clock).operations
        self._machines = Machines(upstream)
        self._ecs_turn = asyncio.Lock()
        self._calls = CallLog()
        self.balancer = Balancer(self.world, upstream)
        self.containers = Containers(self.world, engine) if engine else None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; anything that is no HTTP request (start and end of the process) is MiniStack's."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        request = await read_request(scope, receive)
        try:
            response = await self._answer(request)
        except AwsError as error:
            response = refusal(error)
        if response is None:
            await self._inner(scope, replayed(request.body, receive), send)
        else:
            await send_response(response, send)

    def advance(self) -> None:
        """Let deployments go on; called now and then, they go on while nobody asks."""
        rollout.advance_all(self.world)
        if self.containers is not None:
            self.containers.follow()

    async def _answer(self, request: Request) -> Response | None:
        """Answer what is ours; None for what MiniStack answers."""
        if request.path.startswith(_CONTROL):
            return self._control(request)
        if is_registry_path(request.path):
            self._calls.note_registry(request)
            return await self._registry.handle(request)
        form_action = _form_action(request)
        self._calls.note(request, form_action or request.action[1])
        if form_action:
            return await self._form(request, form_action)
        return await self._api(request)

    async def _form(self, request: Request, action: str) -> Response | None:
        if self.world.faults.expired():
            return _refused_xml("ExpiredToken", EXPIRED, 403)
        if self.world.faults.throttled(action):
            return _refused_xml("Throttling", "Rate exceeded", 400)
        if action == "DescribeTargetHealth":
            return targets.describe_target_health(self.world, request)
        return await self._machines.handle(self._scope(request), request, action)

    async def _api(self, request: Request) -> Response | None:
        prefix, operation = request.action
        if self.world.faults.expired():
            raise AwsError("ExpiredTokenException", EXPIRED)
        if self.world.faults.throttled(operation):
            raise AwsError("ThrottlingException", "Rate exceeded")
        scope = self._scope(request)
        if prefix == ECS_TARGET and operation in self._ecs:
            # One at a time: a handler looks at MiniStack in between, and must not see another's half of a change.
            async with self._ecs_turn:
                self.advance()
                return answer(await self._ecs[operation](scope, request.json()))
        if prefix == APPLICATION_AUTOSCALING_TARGET and operation in self._application_autoscaling:
            return answer(await self._application_autoscaling[operation](scope, request.json()))
        if prefix == ECR_TARGET and operation in self._ecr:
            return answer(await self._ecr[operation](scope, request.json()))
        return None

    def _scope(self, request: Request) -> Scope:
        return request.signed_for(self._settings.default_account, self._settings.default_region, self._account_of)

    def _control(self, request: Request) -> Response:
        name, _, tail = request.path.removeprefix(_CONTROL).partition("/")
        faults = self.world.faults
        if name == "ready":
            return answer({"ready": True})
        if name == "calls":
            if request.method == "DELETE":
                self._calls.forget()
            return answer({"calls": self._calls.listed()})
        if name == "pushes":
            return answer({"pushes": self.world.images.pushes()})
        if name == "faults" and request.method == "POST":
            faults.add(request.json())
        elif name == "faults" and request.method == "DELETE":
            faults.forget(int(tail) if tail.isdigit() else None)
        elif name != "faults":
            raise AwsError("ResourceNotFoundException", f"There is no {request.path} to control.", 404)
        return answer({"faults": faults.listed()})


EXPIRED = "The security token included in the request is expired"


def _refused_xml(code: str, message: str, status: int) -> Response:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(status, {"content-type": "text/xml"}, f"<ErrorResponse>{error}</ErrorResponse>".encode())


def _form_action(request: Request) -> str:
    """Return the operation of a query-protocol request."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return ""
    for pair in request.body.decode("latin-1").split("&"):
        name, _, value = pair.partition("=")
        if name == "Action":
            return value
    return ""
