"""Many services at once come to the same plans as one by one, with a fraction of the calls, and each for itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from migrate.adapters.aws.batches import AwsBatchReader
from migrate.adapters.aws.ecr import EcrRepositoryReader
from migrate.adapters.aws.ecs import EcsServiceReader
from migrate.adapters.aws.health import AwsHealthReader
from migrate.adapters.aws.iam import AwsPermissionReader
from migrate.adapters.aws.pricing import AwsPriceReader
from migrate.adapters.aws.session import AwsSession, Region
from migrate.adapters.aws.surroundings import AwsSurroundingsReader
from migrate.adapters.registry.contents import RegistryContents
from migrate.adapters.registry.inspect import RegistryInspector
from migrate.adapters.shared_reads import SharedReads
from migrate.core.fleet.definition import FleetAccount, Member
from migrate.core.fleet.plan import MemberVerdict, fleet_costs
from migrate.core.image.facts import FetchedManifest
from migrate.core.image.names import ImageReference
from migrate.core.plan.plan import MigrationPlan, make_plan
from migrate.core.rate_limits import ApiGroup
from migrate.errors import AccessError, MigrateError
from migrate.render.fleet_plan import told_costs
from migrate.workflows.fleet_plan import BATCHES_AHEAD, FIRST_BATCH, SERVICES_A_BATCH, MemberPlan, Place, plan_fleet
from migrate.workflows.observe import observe
from migrate.workflows.permissions import with_permissions
from migrate.workflows.plan import rates_of, stages_left
from migrate.workflows.runtime import Readers
from tests.fakes.builds import FakeBuildReader
from tests.fakes.clock import FakeClock
from tests.fakes.fleet_account import REGION, FleetWorld, member_of, parsed_request
from tests.fakes.image_content import digest_of
from tests.fakes.record_store import MemoryRecordStore
from tests.fakes.records import a_record
from tests.unit.aws.recordings import made_up_core

HOST = "111122223333.dkr.ecr.us-east-1.amazonaws.com"


TWO_BY_HAND = Decimal("140.16")
"""2 services of 4 tasks of 0.5 vCPU and 1 GB, 730 hours: 8 x 730 x (0.5 x 0.04 + 1 x 0.004)."""
IN_JSON = b'{"__type": "AccessDeniedException", "message": "no"}'
IN_XML = b"<R><Error><Code>AccessDenied</Code><Message>no</Message></Error><RequestId>1</RequestId></R>"


class NoLimits:
    """The port RateLimits of an AWS that takes any number of calls."""

    def reserve(self, account: str, region: str, group: ApiGroup) -> float:
        del account, region, group
        return 0.0


class WorldRegistry:
    """The port ImageRegistry over the manifests of the made-up account."""

    def __init__(self, world: FleetWorld) -> None:
        self._world = world
        self.asked: list[str] = []

    def manifest(self, reference: ImageReference) -> FetchedManifest:
        self.asked.append(str(reference))
        kind, body = self._world.blob(f"/v2/{reference.repository}/manifests/{reference.tag}")
        return FetchedManifest(digest_of(body), kind, body)

    def blob(self, repository: ImageReference, digest: str, *, limit: int) -> bytes:
        del limit
        return self._world.blob(f"/v2/{repository.repository}/blobs/{digest}")[1]

    def open_blob(self, repository: ImageReference, digest: str) -> AbstractContextManager[Iterator[bytes]]:
        raise AssertionError(f"a fleet's plan reads no layer, and asked for {digest} of {repository}")


class Raw(BytesIO):
    """A body as urllib3 hands it out."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


@dataclass
class Aws:
    """The made-up account behind real clients; ``refused`` are operations that are denied."""

    world: FleetWorld = field(default_factory=lambda: FleetWorld(60, HOST))
    refused: set[str] = field(default_factory=set)
    store: MemoryRecordStore = field(default_factory=MemoryRecordStore)

    def place(self, shared: SharedReads | None, size: int = 60) -> tuple[Place, AwsSession, WorldRegistry]:
        core = made_up_core()
        core.register("before-send", self._answered())
        session = AwsSession(core, Region(REGION, "the test"), limits=NoLimits(), shared=shared)
        permissions, registry = AwsPermissionReader(session), WorldRegistry(self.world)
        readers = Readers(
            settings=member_of(0).settings,
            services=EcsServiceReader(session),
            surroundings=AwsSurroundingsReader(session),
            health=AwsHealthReader(session),
            repositories=EcrRepositoryReader(session),
            permissions=permissions,
            prices=AwsPriceReader(session),
            registry=registry,
            images=RegistryInspector(registry, shared=shared),
            files=RegistryContents(registry),
            builds=FakeBuildReader(),
            store=self.store,
            clock=FakeClock(),
        )
        return Place(readers, AwsBatchReader(session, permissions, size=size)), session, registry

    def _answered(self) -> Any:
        def answer(request: Any, **_: object) -> AWSResponse:
            target = request.headers.get("X-Amz-Target", b"")
            sent = request.body.encode() if isinstance(request.body, str) else request.body
            operation, asked = parsed_request(target.decode() if isinstance(target, bytes) else target, sent)
            if operation in self.refused:
                refusal: Any = Raw(IN_JSON if target else IN_XML)
                return AWSResponse(request.url, 400, HTTPHeaders(), refusal)
            found = self.world.answer(operation, asked)
            body: Any = Raw((found if isinstance(found, str) else json.dumps(found)).encode())
            return AWSResponse(request.url, 200, HTTPHeaders(), body)

        return answer


def members(count: int) -> list[Member]:
    return [member_of(number) for number in range(count)]


def planned(place: Place, wanted: Sequence[Member]) -> list[MemberPlan]:
    return list(plan_fleet(wanted, lambda _: place))


def alone(readers: Readers, member: Member) -> MigrationPlan:
    view = replace(readers, settings=member.settings)
    observation = with_permissions(view, observe(view, readiness=False), stages_left(None))
    rates, problem = rates_of(view, member.region)
    return make_plan(replace(observation, rates=rates, rates_problem=problem), member.settings, None)


def told(found: MemberPlan) -> object:
    return found.plan if found.error is None else (found.error.what, found.error.runbook)


def told_alone(readers: Readers, member: Member) -> object:
    try:
        return alone(readers, member)
    except MigrateError as error:
        return error.what, error.runbook


def test_a_fleet_comes_to_the_plans_that_each_service_has_alone() -> None:
    aws = Aws()
    together, shared_session, registry = aws.place(SharedReads())
    apart, own_session, _ = aws.place(None)
    wanted = members(23)
    found = planned(together, wanted)
    assert [item.member for item in found] == wanted
    assert [item.plan for item in found] == [alone(apart.readers, member) for member in wanted]
    assert {item.summary.verdict for item in found} == {MemberVerdict.READY}
    assert own_session.calls.total > 4 * shared_session.calls.total
    assert len(registry.asked) == len(set(registry.asked))


def test_calls_are_made_once_for_all_that_share_their_answer() -> None:
    place, session, _ = Aws().place(SharedReads())
    planned(place, members(50))
    calls = session.calls.by_operation
    repositories = calls.pop("ecr:DescribeImages")
    assert repositories == calls.pop("ecr:GetLifecyclePolicy") < 40
    simulated = calls.pop("iam:SimulatePrincipalPolicy")
    assert simulated <= 9
    assert calls == {
        "application-autoscaling:DescribeScalableTargets": 1,
        "application-autoscaling:DescribeScalingPolicies": 2,
        "application-autoscaling:DescribeScheduledActions": 1,
        "cloudwatch:DescribeAlarms": 1,
        "ec2:DescribeSubnets": 1,
        "ecr:DescribePullThroughCacheRules": 1,
        "ecr:DescribeRegistry": 1,
        "ecr:DescribeRepositories": 1,
        "ecs:DescribeClusters": 1,
        "ecs:DescribeServices": 5,
        "ecs:DescribeTaskDefinition": 50,
        "ecs:DescribeTasks": 2,
        "ecs:ListTasks": 2,
        "elbv2:DescribeTargetGroupAttributes": 50,
        "pricing:GetProducts": 1,
        "sts:GetCallerIdentity": 1,
    }


def test_a_fleet_is_priced_by_the_price_list_and_by_the_table_where_it_may_not_be_asked() -> None:
    asked = planned(Aws().place(SharedReads())[0], members(2))
    assert [cost.now_high for cost in fleet_costs([item.summary for item in asked])] == [TWO_BY_HAND]
    assert "Prices: AWS Price List (2026-11-21)." in told_costs([item.summary for item in asked])
    aws = Aws(refused={"pricing:GetProducts"})
    place, session, _ = aws.place(SharedReads())
    told = list(told_costs([item.summary for item in planned(place, members(60))]))
    assert session.calls.by_operation["pricing:GetProducts"] == 1
    assert len([line for line in told if "pricing:GetProducts" in line]) == 1
    assert not any("AWS Price List (" in line for line in told)


def test_one_that_is_missing_stops_no_other() -> None:
    place, _, _ = Aws(FleetWorld(8, HOST)).place(SharedReads())
    found = planned(place, members(10))
    verdicts = [item.summary.verdict for item in found]
    assert verdicts == [MemberVerdict.READY] * 8 + [MemberVerdict.UNREAD] * 2
    assert "does not exist" in found[-1].summary.stopper
    assert found[-1].plan is None


def test_one_that_its_owner_moves_is_blocked_and_stops_no_other() -> None:
    aws, wanted = Aws(), members(4)
    aws.store.save_record(wanted[1].arn, replace(a_record(), owned=True))
    place, _, _ = aws.place(SharedReads())
    found = [item.summary for item in planned(place, wanted)]
    verdicts = [item.verdict for item in found]
    assert verdicts == [MemberVerdict.READY, MemberVerdict.BLOCKED, MemberVerdict.READY, MemberVerdict.READY]
    assert found[1].code == "errors#owner-changed"
    assert 'service.owner = "external"' in found[1].stopper


def test_what_is_refused_to_all_is_not_asked_for_each() -> None:
    aws = Aws(refused={"ecs:DescribeServices"})
    place, session, _ = aws.place(SharedReads())
    found = planned(place, members(30))
    assert {item.summary.code for item in found} == {"errors#permission"}
    assert session.calls.by_operation["ecs:DescribeServices"] <= 3


@pytest.mark.parametrize(
    "operation",
    [
        "ecs:ListTasks",
        "ecs:DescribeClusters",
        "cloudwatch:DescribeAlarms",
        "ec2:DescribeSubnets",
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
        "ecr:DescribeRepositories",
        "ecr:DescribeImages",
        "iam:SimulatePrincipalPolicy",
        "elbv2:DescribeTargetGroupAttributes",
    ],
)
def test_what_is_refused_is_told_as_to_a_service_alone(operation: str) -> None:
    aws = Aws(refused={operation})
    together, _, _ = aws.place(SharedReads())
    apart, _, _ = aws.place(None)
    found = planned(together, members(3))
    for item in found:
        assert told(item) == told_alone(apart.readers, item.member)


def test_an_account_that_cannot_be_entered_stops_no_other() -> None:
    place, _, _ = Aws().place(SharedReads())
    elsewhere = FleetAccount("other", role_arn="arn:aws:iam::444455556666:role/migrate")

    def place_of(member: Member) -> Place:
        if member.account == elsewhere:
            raise AccessError("The role cannot be assumed.", then="Ask its owner.")
        return place

    wanted = [replace(member, account=elsewhere) if member.service < "web-0003" else member for member in members(6)]
    found = list(plan_fleet(wanted, place_of))
    assert [item.summary.verdict for item in found] == [MemberVerdict.UNREAD] * 3 + [MemberVerdict.READY] * 3
    assert found[0].summary.stopper == "The role cannot be assumed."


def test_plans_come_in_order_over_many_batches_and_are_saved() -> None:
    aws = Aws(FleetWorld(60, HOST))
    place, session, _ = aws.place(SharedReads(), size=60)
    found = planned(place, members(60))
    # Nothing that was read ahead is forgotten before it is used.
    assert session.calls.by_operation["iam:SimulatePrincipalPolicy"] <= 18
    assert session.calls.by_operation["ecs:DescribeServices"] == 6
    assert [item.member.service for item in found] == [member.service for member in members(60)]
    assert all(aws.store.plan(item.member.arn) for item in found)


def test_a_batch_that_takes_long_keeps_no_later_one_from_its_turn() -> None:
    wanted, later = members(300), threading.Event()
    sixth = FIRST_BATCH + (BATCHES_AHEAD - 1) * SERVICES_A_BATCH

    def place_of(member: Member) -> Place:
        if member == wanted[0]:
            assert later.wait(30)
        elif member == wanted[sixth]:
            later.set()
        raise AccessError("Nobody may look.", then="Ask.")

    found = list(plan_fleet(wanted, place_of))
    assert [item.member for item in found] == wanted
    assert {item.summary.stopper for item in found} == {"Nobody may look."}


def test_a_look_that_is_given_up_early_ends_and_leaves_no_thread() -> None:
    place, _, _ = Aws().place(SharedReads())
    before = set(threading.enumerate())
    looking = plan_fleet(members(60), lambda _: place, keep=False)
    assert next(looking).member == member_of(0)
    looking.close()  # type: ignore[attr-defined]
    assert set(threading.enumerate()) <= before


def test_a_fault_over_one_service_is_told_as_such_and_stops_no_other() -> None:
    place, _, _ = Aws().place(SharedReads())
    broken = replace(member_of(1), settings=replace(member_of(1).settings, capacity=None))  # type: ignore[arg-type]
    found = planned(place, [member_of(0), broken, member_of(2)])
    assert [item.summary.verdict for item in found] == [
        MemberVerdict.READY,
        MemberVerdict.UNREAD,
        MemberVerdict.READY,
    ]
    assert found[1].error is not None
    assert found[1].error.exit_code == 1
