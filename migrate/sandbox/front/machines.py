"""Where MiniStack is soft about machines: true instance types, and groups that remember a mixed instances policy."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from migrate.sandbox.front.http import Response

if TYPE_CHECKING:
    from migrate.sandbox.front.http import Request, Scope
    from migrate.sandbox.front.upstream import Upstream

_POLICY = "MixedInstancesPolicy."
_EC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"
_X86, _ARM = "x86_64", "arm64"
_GIB = 1024

INSTANCE_TYPES = {
    "t3.micro": (_X86, 2, _GIB, 2),
    "t3.small": (_X86, 2, 2 * _GIB, 3),
    "t3.medium": (_X86, 2, 4 * _GIB, 3),
    "t3.large": (_X86, 2, 8 * _GIB, 3),
    "m5.large": (_X86, 2, 8 * _GIB, 3),
    "m5.xlarge": (_X86, 4, 16 * _GIB, 4),
    "c5.large": (_X86, 2, 4 * _GIB, 3),
    "t4g.nano": (_ARM, 2, _GIB // 2, 2),
    "t4g.micro": (_ARM, 2, _GIB, 2),
    "t4g.small": (_ARM, 2, 2 * _GIB, 3),
    "t4g.medium": (_ARM, 2, 4 * _GIB, 3),
    "t4g.large": (_ARM, 2, 8 * _GIB, 3),
    "m6g.medium": (_ARM, 1, 4 * _GIB, 2),
    "m6g.large": (_ARM, 2, 8 * _GIB, 3),
    "m7g.medium": (_ARM, 1, 4 * _GIB, 2),
    "m7g.large": (_ARM, 2, 8 * _GIB, 3),
    "m7g.xlarge": (_ARM, 4, 16 * _GIB, 4),
    "c7g.large": (_ARM, 2, 4 * _GIB, 3),
    "r7g.large": (_ARM, 2, 16 * _GIB, 3),
}
"""Architecture, vCPU, MiB and network interfaces (EC2 instance types guide); a region of this sandbox has no other."""


class Machines:
    """The operations of EC2 and EC2 Auto Scaling that are answered, or completed, here."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._policies: dict[tuple[Scope, str], str] = {}

    async def handle(self, scope: Scope, request: Request, action: str) -> Response | None:
        """Answer a request of the query protocol; None for what MiniStack answers alone."""
        form = dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))
        if action == "DescribeInstanceTypes":
            return _describe_instance_types(form)
        if action in {"CreateAutoScalingGroup", "UpdateAutoScalingGroup"}:
            return await self._remember(scope, request, form)
        if action == "DescribeAutoScalingGroups":
            return await self._describe_groups(scope, request)
        return None

    async def _remember(self, scope: Scope, request: Request, form: dict[str, str]) -> Response:
        answered = await self._upstream.send(request)
        policy = _as_xml({name.removeprefix(_POLICY): form[name] for name in form if name.startswith(_POLICY)})
        if policy and answered.status == 200:  # noqa: PLR2004 - the request was good
            self._policies[scope, form.get("AutoScalingGroupName", "")] = policy
        return answered

    async def _describe_groups(self, scope: Scope, request: Request) -> Response:
        answered = await self._upstream.send(request)
        text = answered.body.decode()
        for (owner, name), policy in self._policies.items():
            mark = f"<AutoScalingGroupName>{escape(name)}</AutoScalingGroupName><AutoScalingGroupARN>"
            told = f"<MixedInstancesPolicy>{policy}</MixedInstancesPolicy>"
            text = text.replace(mark, told + mark) if owner == scope else text
        headers = {name: value for name, value in answered.headers.items() if name != "content-length"}
        return Response(answered.status, headers, text.encode())


def _as_xml(values: dict[str, str]) -> str:
    """Write ``Overrides.member.1.InstanceType`` and its like as nested elements, lists in their order."""
    heads: dict[str, dict[str, str]] = {}
    for name, value in values.items():
        head, _, rest = name.partition(".")
        heads.setdefault(head, {})[rest] = value
    parts = []
    for head, inside in heads.items():
        if head == "member":
            parts += [f"<member>{_as_xml(item)}</member>" for item in _numbered(inside)]
        else:
            parts.append(f"<{head}>{escape(inside['']) if '' in inside else _as_xml(inside)}</{head}>")
    return "".join(parts)


def _numbered(values: dict[str, str]) -> list[dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for name, value in values.items():
        number, _, rest = name.partition(".")
        found.setdefault(int(number), {})[rest] = value
    return [found[number] for number in sorted(found)]


def _describe_instance_types(form: dict[str, str]) -> Response:
    by_name = [value for name, value in form.items() if name.startswith("InstanceType.")]
    by_filter = [value for name, value in form.items() if name.startswith("Filter.") and ".Value." in name]
    unknown = [name for name in by_name if name not in INSTANCE_TYPES]
    if unknown:
        message = f"The following supplied instance types do not exist: [{', '.join(unknown)}]"
        return _xml(
            400,
            f"<Response><Errors><Error><Code>InvalidInstanceType</Code><Message>{escape(message)}</Message></Error>"
            f"</Errors><RequestID>{uuid.uuid4()}</RequestID></Response>",
        )
    wanted = by_name or by_filter or list(INSTANCE_TYPES)
    items = "".join(_item(name) for name in INSTANCE_TYPES if name in wanted)
    return _xml(
        200,
        f'<DescribeInstanceTypesResponse xmlns="{_EC2}"><requestId>{uuid.uuid4()}</requestId><instanceTypeSet>{items}'
        "</instanceTypeSet></DescribeInstanceTypesResponse>",
    )


def _item(name: str) -> str:
    architecture, vcpus, memory, interfaces = INSTANCE_TYPES[name]
    return (
        f"<item><instanceType>{name}</instanceType><processorInfo><supportedArchitectures><item>{architecture}</item>"
        f"</supportedArchitectures></processorInfo><vCpuInfo><defaultVCpus>{vcpus}</defaultVCpus></vCpuInfo>"
        f"<memoryInfo><sizeInMiB>{memory}</sizeInMiB></memoryInfo><networkInfo><maximumNetworkInterfaces>{interfaces}"
        "</maximumNetworkInterfaces></networkInfo></item>"
    )


def _xml(status: int, text: str) -> Response:
    return Response(status, {"content-type": "text/xml"}, text.encode())
