"""A bad way to AWS and to the registry: every verb ends right, or says what holds it, and goes on once they answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from migrate.sandbox.demo.seed import seed
from migrate.sandbox.processes import free_port
from migrate.sandbox.sandbox import Sandbox
from tests.e2e.conftest import COMMAND_SECONDS, Ended, Operator
from tests.fakes.faulty_network import (
    FaultyNetwork,
    Rule,
    dropped_before,
    expired,
    faulty_network,
    faulty_registry,
    first,
    heard,
    lost_answers,
    no_answer,
    pushed,
    server_errors,
    throttled,
    too_many_requests,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2400)]

STAGES = tuple(("apply", "--stage", str(stage), "--yes") for stage in range(4))
ALL_THE_WAY_BACK = ("rollback", "--to", "original", "--yes")
TRIES = 4
SEED = 20261128

KINDS: dict[str, Sequence[Rule]] = {
    "throttling": throttled(0.3),
    "server errors": server_errors(0.1),
    "connections that break": dropped_before(0.1),
    "answers that get lost": lost_answers(0.1),
    # Longer than the tool's own readers wait; the plugin is answered with HTTP 504 meanwhile.
    "answers that never come": no_answer(0.02, 35),
    "all of them": [*throttled(0.1), *server_errors(0.05), *dropped_before(0.05), *lost_answers(0.05)],
}

REGISTRY_KINDS: dict[str, Sequence[Rule]] = {
    "throttling": too_many_requests(0.2),
    "server errors": server_errors(0.1),
    "connections that break": dropped_before(0.1),
    "answers that get lost": lost_answers(0.1),
    # Longer than the tool's own reader waits.
    "answers that never come": no_answer(0.02, 70),
}
INDEX = "image.index"


@dataclass(slots=True)
class Traveller:
    """An operator with a bad way to AWS and to the registry, who looks at the world by a good one.

    ``met`` is how many faults of the registry's were met by now.
    """

    operator: Operator
    network: FaultyNetwork
    registry: FaultyNetwork
    original: Any
    tag: tuple[str, str, bytes]
    met: int = 0

    def run(self, *verb: str, registry: Sequence[Rule] = ()) -> Ended:
        """Run a verb over the bad way, and hold what it says against the world."""
        self.registry.set(registry)
        ended = self.operator.run(*verb, AWS_ENDPOINT_URL=self.network.endpoint)
        self.met += self.registry.struck()
        self.registry.set()
        self.nothing_in_between(verb, ended)
        return ended

    def insist(self, *verb: str, registry: Sequence[Rule] = ()) -> None:
        """Run a verb until it is done, as the messages say."""
        for _ in range(TRIES):
            ended = self.run(*verb, registry=registry)
            if ended.code == 0:
                return
            assert ended.code in {3, 4, 6}, ended.said
        self.network.set()
        ended = self.run(*verb)
        assert ended.code == 0, ended.said

    def nothing_in_between(self, verb: Sequence[str], ended: Ended) -> None:
        """Whatever a verb answers, the record says it too, and the service is where the record says."""
        status = self.operator.status()
        position, stage = status["position"], int(verb[2]) if verb[0] == "apply" else -1
        assert status["drift"] == [], ended.said
        match ended.code:
            case 0:
                assert position == {"proven": stage, "entered": None}, ended.said
            case 3:
                assert position["entered"] in {None, stage}, ended.said
            case 4:
                assert position == {"proven": stage - 1, "entered": None}, ended.said
            case 5 | 6:
                assert position["entered"] is not None or position["proven"] >= 0, ended.said
                assert "migrate" in ended.said or "run the command again" in ended.said
            case _:
                pytest.fail(ended.said)
        if position["entered"] is None:
            self.runs(position["proven"])

    def runs(self, stage: int) -> None:
        """Make sure that the service runs what this stage stands for, on all its tasks."""
        status, service = self.operator.status(), self.operator.service()
        assert status["architectures"] == {"arm64" if stage >= 2 else "x86_64": 4}
        assert ("FARGATE_SPOT" in status["split"]) == (stage == 3)
        assert (self.operator.tag() == self.tag) == (stage < 1)
        assert (service["taskDefinition"] == self.original["taskDefinition"]) == (stage < 2)
        assert bool(service.get("capacityProviderStrategy")) == (stage >= 0)

    def unused_revisions(self) -> int:
        """How many revisions there are beside the original and the arm64 one."""
        ecs, family = self.operator.aws("ecs"), self.operator.seeded.family
        return len(ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"]) - 2

    def forced(self) -> int:
        """How many deployments were asked for since the service was made."""
        arn = self.operator.service()["serviceArn"]
        answer = self.operator.aws("ecs").list_service_deployments(service=arn, cluster=self.operator.seeded.cluster)
        return len(answer["serviceDeployments"])


@pytest.fixture
def traveller(tmp_path: Path) -> Iterator[Traveller]:
    """Give an operator who has everything but a good way to AWS, in a sandbox where nobody was before him."""
    with (
        Sandbox.start(tmp_path / "sandbox", registry_host=f"localhost:{free_port()}") as up,
        faulty_registry(up, tmp_path, SEED) as registry,
        faulty_network(up.endpoint.replace("https", "http"), tmp_path, SEED) as network,
    ):
        operator = Operator(tmp_path, up, seed(up))
        operator.init()
        yield Traveller(operator, network, registry, operator.service(), operator.tag())


def test_one_migration_meets_every_fault_once(traveller: Traveller) -> None:
    network = traveller.network
    # PutImage is the guard tag: it took effect, and nobody heard of it.
    network.set(lost_answers(1, "PutImage", times=1), throttled(0.3))
    every_kind = [*too_many_requests(1), *server_errors(1), *dropped_before(1), *lost_answers(1)]
    traveller.insist(*STAGES[0], registry=first(every_kind, 1))
    assert traveller.met >= 4
    network.set(lost_answers(1, "UpdateService", times=1), server_errors(0.1), dropped_before(0.05))
    before, met = traveller.forced(), traveller.met
    # The index got there, and nobody heard of it.
    traveller.insist(*STAGES[1], registry=[*pushed(first(lost_answers(1), 1), INDEX), *too_many_requests(0.1)])
    assert traveller.met > met
    assert network.struck("UpdateService", "response") == 1
    # Here the provider's SDK repeats it by itself; what is judged is the one that is PRIMARY then.
    assert traveller.forced() - before in {1, 2}
    _expired_half_way(traveller)
    network.set(lost_answers(1, "RegisterTaskDefinition", times=1), throttled(0.1))
    traveller.insist(*STAGES[2])
    # The API has no token that would let ECS see a second try of the same call: one is left over, and is harmless.
    assert traveller.unused_revisions() <= 1
    network.set(
        lost_answers(1, "UpdateService", times=1, by="ecs-migrate"),
        heard("UpdateService", by="ecs-migrate"),
        lost_answers(1, "PutImage", times=1),
        server_errors(0.1),
    )
    traveller.insist(*ALL_THE_WAY_BACK)
    assert traveller.operator.service()["launchType"] == "FARGATE"
    assert network.struck("UpdateService", "response") == 1
    assert network.struck("UpdateService", "latency") == 0, "the launch type is given back once, though nobody heard"
    assert network.struck("PutImage", "response") == 1


def _expired_half_way(traveller: Traveller) -> None:
    """Let the session end when the engine goes to work: the run stops and says so, and takes no old session again."""
    network, watching = traveller.network, threading.Event()
    network.set()
    old = {"AWS_ACCESS_KEY_ID": "ASIAOLD", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "old"}
    process = traveller.operator.start(*STAGES[2], AWS_ENDPOINT_URL=network.endpoint, **old)
    assert process.stderr is not None
    told = ""
    for line in process.stderr:
        told += line
        if not watching.is_set() and "service stack to stage 2" in line:
            network.set(expired("ASIAOLD"))
            watching.set()
    out, _ = process.communicate(timeout=COMMAND_SECONDS)
    ended = Ended(process.returncode, out, told)
    assert watching.is_set(), ended.said
    assert "Traceback" not in ended.said
    assert ended.code == 6, ended.said
    assert "credentials expired" in ended.said or "credentials have expired" in ended.said
    assert "Sign in again" in ended.said
    traveller.nothing_in_between(STAGES[2], ended)
    still = traveller.operator.run("status", AWS_ENDPOINT_URL=network.endpoint, **old)
    assert still.code == 3, still.said
    assert "have expired" in still.said


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_migration_under_one_kind_of_fault(kind: str, traveller: Traveller) -> None:
    for verb in (*STAGES, ALL_THE_WAY_BACK):
        traveller.network.set(KINDS[kind])
        traveller.insist(*verb)
    assert traveller.operator.service()["launchType"] == "FARGATE"


@pytest.mark.soak
@pytest.mark.parametrize("kind", REGISTRY_KINDS)
def test_an_image_on_its_way_to_a_registry_and_back_under_one_kind_of_fault(kind: str, traveller: Traveller) -> None:
    for verb in (*STAGES[:2], ALL_THE_WAY_BACK):
        traveller.insist(*verb, registry=REGISTRY_KINDS[kind])
    assert traveller.met
    assert traveller.operator.tag() == traveller.tag
