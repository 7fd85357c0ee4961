"""The real adapters over a bad way to AWS: what passes costs a retry, what does not is called by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from migrate.adapters.aws.ecs import EcsServiceReader
from migrate.errors import AccessError, TransientError
from tests.contracts.aws_scenes import GUARD, FrontScene, front_session
from tests.fakes.faulty_network import (
    FaultyNetwork,
    Rule,
    dropped_before,
    expired,
    faulty_network,
    first,
    heard,
    lost_answers,
    server_errors,
    throttled,
)
from tests.fakes.front_hosts import WholeProcess

pytestmark = pytest.mark.e2e

PASSING: dict[str, Sequence[Rule]] = {
    "throttled": throttled(1),
    "server error": server_errors(1),
    "dropped": dropped_before(1),
    "answer lost": lost_answers(1),
}


@dataclass(frozen=True, slots=True)
class Reached:
    """A scene whose adapters go over the bad way, while the account behind it does not."""

    scene: FrontScene
    network: FaultyNetwork


@pytest.fixture(scope="module")
def network(live_front: WholeProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyNetwork]:
    with faulty_network(live_front.url, tmp_path_factory.mktemp("network"), seed=1) as between:
        yield between


@pytest.fixture
def reached(live_front: WholeProcess, network: FaultyNetwork, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reached]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", network.endpoint)
    network.set()
    yield Reached(FrontScene(live_front), network)
    network.set()


def test_reads_get_through_what_passes(reached: Reached) -> None:
    reads = _reads(reached.scene)
    expected = [read() for read in reads]
    for kind, read, before in zip(PASSING.values(), reads, expected, strict=True):
        reached.network.set(first(kind[-1:], 1))
        assert read() == before
        assert reached.network.struck() == 1


@pytest.mark.parametrize("kind", PASSING)
def test_every_safety_action_takes_effect_once(kind: str, reached: Reached) -> None:
    scene, network = reached.scene, reached.network
    service = scene.settle()
    network.set(_once(kind, "PutImage"))
    scene.safety.put_guard_tag(scene.original)
    assert scene.digest(GUARD) == scene.original.digest
    network.set(_once(kind, "UpdateService"))
    deployment = scene.safety.force_deployment(service)
    live = scene.services.service(scene.cluster, scene.name)
    assert live.primary is not None
    assert live.primary.id == deployment
    assert {item.id for item in live.deployments} <= {deployment, *(item.id for item in service.deployments)}
    # The fault itself, and the call that had to follow it.
    written = network.struck("UpdateService")
    assert written == (1 if kind == "answer lost" else 2), "an answer that got lost is looked for, not asked for again"


def test_what_does_not_pass_through_all_retries_is_still_called_passing(
    reached: Reached, live_front: WholeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    hasty = EcsServiceReader(front_session(live_front))
    reached.network.set(throttled(1))
    with pytest.raises(TransientError) as told:
        hasty.service(reached.scene.cluster, reached.scene.name)
    assert (told.value.runbook, reached.network.struck("DescribeServices")) == ("errors#throttled", 2)


def test_an_expired_session_is_not_asked_with_again(reached: Reached) -> None:
    reached.network.set(expired("test"), heard("DescribeServices"))
    with pytest.raises(AccessError, match="have expired") as told:
        reached.scene.services.service(reached.scene.cluster, reached.scene.name)
    assert not isinstance(told.value, TransientError)
    assert reached.network.struck("DescribeServices") == 1


def _reads(scene: FrontScene) -> Sequence[Callable[[], object]]:
    service = scene.settle()
    return (
        lambda: scene.services.service(scene.cluster, scene.name).deployments,
        lambda: [task.arn for task in scene.services.tasks(service)],
        lambda: scene.services.task_definition(service.task_definition_arn),
        lambda: scene.repositories.repository(scene.original.reference),
    )


def _once(kind: str, operation: str) -> list[Rule]:
    """One fault of this kind on the tool's own call, which is counted as well."""
    narrow = {"operation": operation, "headers": {"user-agent": "ecs-migrate"}}
    return [*({**rule, **narrow} for rule in first(PASSING[kind][-1:], 1)), *heard(operation, by="ecs-migrate")]
