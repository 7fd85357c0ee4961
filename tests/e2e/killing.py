"""A whole migration whose process is killed again and again, and taken up each time; and what is compared then."""

from __future__ import annotations

import difflib
import hashlib
import json
import pprint
import random
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import psutil

from migrate.adapters.store.record_store import SqlRecordStore
from migrate.core.evidence import Event, EventKind, Run
from migrate.sandbox.demo.seed import seed
from migrate.sandbox.sandbox import Sandbox
from tests.e2e.conftest import COMMAND_SECONDS, Operator

LEGS: Mapping[str, tuple[str, ...]] = {
    **{f"stage {stage}": ("apply", "--stage", str(stage)) for stage in range(4)},
    "rollback": ("rollback", "--to", "original"),
}
"""The commands of a migration to Spot and back, in order."""

TOLD = ("--yes", "--output", "json")
_UNTOLD = frozenset({"resource", "finished", "started"})


@dataclass(frozen=True, slots=True)
class Kill:
    """When to kill: as an event of a kind and step is told, or some seconds after it.

    ``beyond`` are the events that come later in the run: where the one that was meant has passed, they do as well.
    ``machine`` takes all that the process had started with it, as a reboot does; ``kill -9`` hits the process alone.
    """

    kind: str
    step: str
    seconds: float = 0.0
    machine: bool = False
    beyond: frozenset[tuple[str, str]] = frozenset()


@dataclass(slots=True)
class Disturbed:
    """An operator whose machine is a bad one; ``done`` are the kills that hit a process that was at work."""

    operator: Operator
    done: list[tuple[str, Kill]] = field(default_factory=list)
    left: list[psutil.Process] = field(default_factory=list)

    def carry_out(self, leg: str, kills: Sequence[Kill]) -> None:
        """Carry a leg out, through all the kills that it lives to see, and to its end."""
        command, begun = LEGS[leg], False
        for kill in kills:
            hit = self._killed(("resume",) if begun else command, kill)
            if not hit and self._ended(leg):
                return
            # A process that was killed before its run began has left nothing to take up.
            if hit or self._killed(command, kill):
                self.done.append((leg, kill))
            begun = True
        ended = self.operator.run(*(("resume",) if begun else command), *TOLD)
        assert ended.code == 0, ended.said
        if not self._ended(leg):
            ended = self.operator.run(*command, *TOLD)
            assert ended.code == 0, ended.said
        assert self._ended(leg), ended.said

    def clear_away(self) -> None:
        """End what killed processes had started and left behind: plugins that wait for an engine that is gone."""
        for process in self.left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.left.clear()

    def _ended(self, leg: str) -> bool:
        runs = runs_of(self.operator)
        verb = LEGS[leg][0]
        stage = int(LEGS[leg][2]) if verb == "apply" else -1
        return bool(runs) and (runs[0].verb, runs[0].stage, runs[0].status) == (verb, stage, "done")

    def _killed(self, arguments: Sequence[str], kill: Kill) -> bool:
        """Run a command until it is killed; return whether it was, before it came to its end."""
        process = self.operator.start(*arguments, *TOLD)
        _heard(process, kill)
        with suppress(subprocess.TimeoutExpired):
            process.wait(kill.seconds)
        if process.poll() is not None:
            said = _drained(process)
            assert "Traceback" not in said, said
            return False
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            for child in children if kill.machine else ():
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            self.left.extend(children)
        _drained(process)
        return True


def _heard(process: subprocess.Popen[str], kill: Kill) -> None:
    assert process.stderr is not None
    watchdog = threading.Timer(COMMAND_SECONDS, process.kill)
    watchdog.start()
    try:
        for line in process.stderr:
            told = json.loads(line) if line.startswith("{") else {}
            place = (told.get("kind", ""), told.get("step", ""))
            if place == (kill.kind, kill.step) or place in kill.beyond:
                return
        process.wait(COMMAND_SECONDS)
    finally:
        watchdog.cancel()


def _drained(process: subprocess.Popen[str]) -> str:
    """Close what a process was heard through; its children may still hold the other ends."""
    process.wait(COMMAND_SECONDS)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    return ""


def runs_of(operator: Operator) -> tuple[Run, ...]:
    """Return the runs of the service, newest first."""
    with _store(operator) as store:
        return store.runs(operator.service()["serviceArn"])


def _store(operator: Operator) -> SqlRecordStore:
    return SqlRecordStore(f"sqlite:///{operator.directory / '.migrate' / 'migrate.sqlite'}")


def boundaries(events: Sequence[Event]) -> list[tuple[str, str]]:
    """Return kind and step of every event at which a run may be cut in two, each once, in order."""
    return list(dict.fromkeys((event.kind.value, event.step) for event in events if event.kind not in _UNTOLD))


def every_boundary(events: Sequence[Event], dice: int, moments: int) -> Iterator[Kill]:
    """Yield a kill at every boundary of a leg, both kinds in turn, with some at random moments in between."""
    chosen = random.Random(dice)  # noqa: S311 - where to kill is no secret
    places = boundaries(events)
    between = {chosen.randrange(len(places)) for _ in range(moments)}
    for number, (kind, step) in enumerate(places):
        beyond = frozenset(places[number + 1 :])
        if number in between:
            yield Kill(kind, step, chosen.uniform(0.0, 1.0), machine=chosen.random() < 0.5, beyond=beyond)
        yield Kill(kind, step, machine=number % 2 == 0, beyond=beyond)


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is after a leg, and what its evidence says: equal where two of them came to the same end."""

    world: Mapping[str, Any]
    evidence: Mapping[str, Any]


def seen(operator: Operator) -> Seen:
    """Look at the world and at the evidence, for a comparison."""
    return Seen(compared(operator), evidence(operator))


def unlike(found: Seen, expected: Seen) -> str:
    """Return what two of them differ in, as a diff of what was expected and what was found; empty where nothing."""
    before, after = (pprint.pformat(asdict(one), width=120).splitlines(keepends=True) for one in (expected, found))
    return "".join(difflib.unified_diff(before, after, "undisturbed", "killed", n=1))


def compared(operator: Operator) -> dict[str, Any]:
    """Return what two migrations have in common that have come equally far, whatever came in between."""
    service, ecs, ecr = operator.service(), operator.aws("ecs"), operator.aws("ecr")
    status = operator.status()
    repository = "/".join(operator.seeded.image.rpartition(":")[0].split("/")[1:])
    images = ecr.describe_images(repositoryName=repository)["imageDetails"]
    found = ecs.list_service_deployments(cluster=operator.seeded.cluster, service=operator.seeded.service)
    return {
        "position": status["position"],
        "drift": status["drift"],
        "architectures": status["architectures"],
        "platforms": status["platforms"],
        "split": status["split"],
        "revision": service["taskDefinition"].rpartition("/")[2],
        "launch type": service.get("launchType"),
        "strategy": service.get("capacityProviderStrategy", []),
        "revisions": len(ecs.list_task_definitions(familyPrefix=operator.seeded.family)["taskDefinitionArns"]),
        "deployments": len(found["serviceDeployments"]),
        "tag": told_by_roles(operator),
        "pushed in vain": [push["tag"] for push in operator.asked_sandbox("pushes") if not push["changed"]],
        "images": sorted(sorted(image.get("imageTags", [])) for image in images),
        "stacks": stacks(operator),
        "runs": [(run.verb, run.stage, run.status) for run in runs_of(operator)],
    }


def told_by_roles(operator: Operator) -> dict[str, Any]:
    """Return what is behind the tag, byte for byte, but for what a build makes anew each time: the arm64 image.

    Its digest and its attestation's stand there as the part that they play; everything else two builds have in common.
    """
    digest, media_type, body = operator.tag()
    index = json.loads(body)
    text = body.decode()
    for entry in index.get("manifests", ()):
        platform = entry["platform"]
        if platform["architecture"] != "amd64":
            text = text.replace(entry["digest"], f"the {platform['architecture']} image")
    whole = f"sha256:{hashlib.sha256(body).hexdigest()}" == digest
    return {"media type": media_type, "content": text, "named by its content": whole}


def stacks(operator: Operator) -> dict[str, Any]:
    """Return what both stacks hold, that nothing is pending in them, and that nobody has locked them."""
    backend = Path(urlparse(operator.environment["PULUMI_BACKEND_URL"]).path) / ".pulumi"
    found: dict[str, Any] = {"locks": len(list((backend / "locks").rglob("*.json")))}
    for path in sorted((backend / "stacks").rglob("*.json")):
        latest = json.loads(path.read_text(encoding="utf-8"))["checkpoint"]["latest"]
        held = {item["urn"].rpartition("::")[2]: item for item in latest["resources"]}
        service = held.get("service", {}).get("inputs", {})
        found[path.parent.name] = {
            "resources": sorted(held),
            "pending": len(latest.get("pending_operations") or ()),
            "service": {name: service.get(name) for name in ("taskDefinition", "capacityProviderStrategies")},
        }
    return found


def evidence(operator: Operator) -> dict[str, Any]:
    """Return what the evidence of the newest run says of its acts and verdicts, and how often it ended."""
    run = runs_of(operator)[0]
    with _store(operator) as store:
        events = store.events(run.id)
    verdicts = [(event.step, event.text.partition(":")[0]) for event in events if event.kind is EventKind.VERDICT]
    open_acts: dict[str, None] = {}
    for event in events:
        if event.kind is EventKind.INTENT:
            open_acts[event.step] = None
        elif event.kind is EventKind.OUTCOME:
            open_acts.pop(event.step, None)
    return {
        "acts": sorted({event.step for event in events if event.kind is EventKind.OUTCOME}),
        "without an end": list(open_acts),
        # A kill between what was told and the step that keeps it lets the same gate be judged once more.
        "verdicts": list(dict.fromkeys(verdicts)),
        "ends": sum(event.kind is EventKind.FINISHED for event in events),
    }


def newest_events(operator: Operator) -> tuple[Event, ...]:
    """Return the evidence of the newest run."""
    run = runs_of(operator)[0]
    with _store(operator) as store:
        return store.events(run.id)


@dataclass(slots=True)
class Undisturbed:
    """A migration to which nothing happened: what there was after each leg, and the evidence of it."""

    found: dict[str, Seen] = field(default_factory=dict)
    events: dict[str, tuple[Event, ...]] = field(default_factory=dict)


def nothing_happens(directory: Path) -> Undisturbed:
    """Carry a whole migration out in a sandbox of its own, where nobody kills anything."""
    whole = Undisturbed()
    with at_work(directory) as operator:
        for leg, command in LEGS.items():
            operator.done(*command, *TOLD)
            whole.found[leg] = seen(operator)
            whole.events[leg] = newest_events(operator)
    return whole


def kills_of(undisturbed: Undisturbed, dice: int) -> dict[str, tuple[Kill, ...]]:
    """Return kills at every boundary of every leg, and at some random moments that ``dice`` decide on."""
    return {
        leg: tuple(every_boundary(undisturbed.events[leg], dice + number, moments=3)) for number, leg in enumerate(LEGS)
    }


@contextmanager
def at_work(directory: Path) -> Iterator[Operator]:
    """Give an operator in a sandbox of his own, ready to migrate its service."""
    with Sandbox.start(directory / "sandbox") as up:
        operator = Operator(directory, up, seed(up))
        operator.init()
        yield operator
