"""What makes each kind of check fail on the sandbox while a stage is judged, and at no other time.

Every gate here has a webhook, the desk: it hears of each sample, and so knows when a fault may strike.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from migrate.sandbox.demo.seed import clear_alarm, raise_alarm
from tests.e2e.conftest import Operator

Facts = dict[str, Any]
Strike = Callable[[Operator, Facts], None]

NAMESPACE = "Shop"
ALL = (0, 1, 2, 3)
# The gate counts a failure of a running service only once an earlier sample has found the deployment complete.
SOAKING = 2
PROMETHEUS = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [0, "0.5"]}]}}
ANSWERS: dict[str, tuple[int, object]] = {
    "/health": (200, "all is well"),
    "/broken": (503, "out of order"),
    "/verdict": (200, {"verdict": "pass"}),
    "/veto": (200, {"verdict": "fail", "text": "not on a Friday"}),
    "/api/v1/query": (200, PROMETHEUS),
}


@dataclass
class Desk:
    """The operator's page, release desk and Prometheus in one; lets faults strike, and keeps what it was told."""

    operator: Operator
    url: str = ""
    told: list[Facts] = field(default_factory=list)
    begun: Strike | None = None
    soaking: Strike | None = None
    _complete: int = 0

    def expect(self, begun: Strike | None = None, soaking: Strike | None = None) -> None:
        """Let one fault strike at the first sample of the next gate, and one in its soak."""
        self.begun, self.soaking, self._complete = begun, soaking, 0

    def heard(self, facts: Facts) -> None:
        """Take in one sample of a gate."""
        self.told.append(facts)
        if self.begun is not None:
            strike, self.begun = self.begun, None
            strike(self.operator, facts)
        if self.soaking is not None:
            self._complete += is_complete(self.operator, facts["deployment"])
            if self._complete == SOAKING:
                strike, self.soaking = self.soaking, None
                strike(self.operator, facts)


@contextmanager
def opened_desk(operator: Operator) -> Iterator[Desk]:
    """Serve a desk on loopback."""
    desk = Desk(operator)

    class Endpoint(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/verdict":
                desk.heard({**json.loads(body), "authorization": self.headers["Authorization"]})
            self._answer()

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self) -> None:
            status, content = ANSWERS[self.path]
            body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        desk.url = f"http://127.0.0.1:{server.server_port}"
        yield desk
        server.shutdown()
        thread.join()


@dataclass(frozen=True, slots=True)
class Failing:
    """One kind of check that fails.

    ``check`` is its name in the verdict; ``waiting`` is the sandbox's fault that waits for the stage's deployment;
    ``begun`` and ``soaking`` strike during the gate; ``settings`` are added to migrate.toml, ``keys`` replaced in it.
    ``lasting`` failures are there before the next try too, and must stop it before it changes anything.
    """

    check: str
    stages: tuple[int, ...] = ALL
    waiting: Facts | None = None
    begun: Strike | None = None
    soaking: Strike | None = None
    settings: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    lasting: bool = False


def is_complete(operator: Operator, deployment: str) -> bool:
    """Whether this deployment is PRIMARY and COMPLETED."""
    primary = operator.service()["deployments"][0]
    return (primary["id"], primary["rolloutState"]) == (deployment, "COMPLETED")


def put_down(operator: Operator, **fault: object) -> None:
    """Give the sandbox a fault of the service."""
    httpx.post(_faults(operator), json={"service": operator.seeded.service, **fault}).raise_for_status()


def take_away(operator: Operator) -> None:
    """Let everything in the sandbox be well again."""
    httpx.delete(_faults(operator)).raise_for_status()
    clear_alarm(operator.sandbox)


def _faults(operator: Operator) -> str:
    return f"{operator.sandbox.endpoint.replace('https', 'http')}/_sandbox/faults"


def of_deployment(kind: str, **more: object) -> Strike:
    """Return a fault of the tasks of the deployment that is judged: those of a way back are well."""
    return lambda operator, facts: put_down(operator, kind=kind, deployment=facts["deployment"], **more)


def publish(operator: Operator, run: str) -> None:
    """Send metrics of the minute before the deployment and of those after, one value a second.

    ``run`` is part of their names: what another run published belongs to no baseline of this one.
    """
    began = operator.service()["deployments"][0]["createdAt"].replace(microsecond=0)
    data = [
        {
            "MetricName": f"{name}-{run}",
            "Timestamp": began + timedelta(seconds=second),
            "Value": value,
            "StorageResolution": 1,
        }
        for second in range(-60, 180)
        for name, value in (
            ("Errors", 9.0),
            ("Fine", 0.0),
            ("Latency", (0.2 if second <= 0 else 2.0) + second % 3 / 100),
        )
    ]
    for first in range(0, len(data), 500):
        operator.aws("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data[first : first + 500])


def metric(name: str, condition: str) -> str:
    """Return a check of a metric."""
    return (
        f'[[gate.metric]]\nname = "{name} metric"\nnamespace = "{NAMESPACE}"\nmetric = "{name}"\n'
        f'statistic = "Average"\nperiod = "1s"\n{condition}\n'
    )


def own_checks(url: str, run: str) -> dict[str, Failing]:
    """Return one failing check of each kind that an operator may add."""

    def published(operator: Operator, _: Facts) -> None:
        publish(operator, run)

    probe = f'[[gate.probe]]\nname = "page"\nurl = "{url}/broken"\nstatus = [200]\nsamples = 1\n'
    return {
        "metric": Failing(
            f"Errors-{run} metric", settings=metric(f"Errors-{run}", 'success = "<= 1"'), begun=published
        ),
        "comparison": Failing(
            f"Latency-{run} metric",
            settings=metric(f"Latency-{run}", 'compare = "increase"\nwindow = "1m"'),
            begun=published,
        ),
        "probe": Failing("page", settings=probe),
        "command": Failing(
            "smoke",
            settings='[[gate.command]]\nname = "smoke"\ncommand = ["sh", "-c", "exit 3"]\nsuccess = "== 0"\n',
        ),
        "webhook": Failing("veto", settings=f'[[gate.webhook]]\nname = "veto"\nurl = "{url}/veto"\n'),
        "prometheus": Failing(
            "rate",
            settings=f'[[gate.prometheus]]\nname = "rate"\nurl = "{url}"\nquery = "up"\nfailure = ">= 0.1"\n',
        ),
    }


def built_in_checks() -> dict[str, Failing]:
    """Return a failure of each kind of check that every gate has.

    Capacity and interruptions fail at stage 3 alone: before it nothing is on Spot, and that on-demand capacity lacks
    is no fault of the migration, so it holds the stage and rolls nothing back.
    """
    return {
        "deployment": Failing("deployment", waiting={"kind": "tasks_fail_to_start", "reason": "no luck"}),
        "architecture": Failing("tasks", begun=of_deployment("other_architecture")),
        "stopped tasks": Failing(
            "stopped tasks", soaking=of_deployment("task_exits", exit_code=137, reason="OutOfMemoryError")
        ),
        "targets": Failing("targets", soaking=of_deployment("target_unhealthy", count=-1)),
        "alarm": Failing("alarms", soaking=lambda operator, _: raise_alarm(operator.sandbox), lasting=True),
        "capacity": Failing(
            "capacity",
            stages=(3,),
            waiting={"kind": "capacity_unavailable", "provider": "FARGATE_SPOT"},
            keys=(("deadline", '"20s"'),),
        ),
        "interruptions": Failing(
            "stopped tasks",
            stages=(3,),
            soaking=lambda operator, _: put_down(operator, kind="spot_interruption", count=2),
            keys=(("interruption_limit", "25"),),
        ),
    }


def good_checks(url: str, run: str) -> str:
    """Return one check of each kind that an operator may add, all of which are well."""
    smoke = json.dumps(["sh", "-c", "echo $MIGRATE_STAGE"])
    return (
        metric(f"Fine-{run}", 'success = "<= 1"')
        + f'[[gate.probe]]\nname = "page"\nurl = "{url}/health"\nstatus = [200]\ncontains = "well"\nsuccess = "< 5"\n'
        + f'[[gate.command]]\nname = "smoke"\ncommand = {smoke}\nvalue = "stdout"\nsuccess = "<= 3"\n'
        + f'[[gate.webhook]]\nname = "safe"\nurl = "{url}/verdict"\nheaders = {{ Authorization = "DESK_TOKEN" }}\n'
        + f'[[gate.prometheus]]\nname = "rate"\nurl = "{url}"\nquery = "up"\nsuccess = "< 1"\n'
    )
