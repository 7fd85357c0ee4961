"""Every kind of check of an operator's own, on the sandbox: one takes a stage back, and all of them let it pass."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.e2e.conftest import Operator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

NAMESPACE = "Shop"
KEPT = ("capacityProviderStrategy", "taskDefinition", "desiredCount", "deploymentConfiguration")
PROMETHEUS = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [0, "0.5"]}]}}
ANSWERS: dict[str, tuple[int, object]] = {
    "/health": (200, "all is well"),
    "/broken": (503, "out of order"),
    "/verdict": (200, {"verdict": "pass"}),
    "/veto": (200, {"verdict": "fail", "text": "not on a Friday"}),
    "/api/v1/query": (200, PROMETHEUS),
}


class Endpoint(BaseHTTPRequestHandler):
    """A service of the operator's, a release desk and a Prometheus in one; keeps what it was told."""

    told: list[dict[str, Any]] = []  # noqa: RUF012 - the server makes a handler for each request

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] == "application/json":
            self.told.append({**json.loads(body), "authorization": self.headers["Authorization"]})
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


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def checks(operator: Operator, text: str) -> Iterator[None]:
    """Add checks to migrate.toml, and take them away again."""
    path = operator.directory / "migrate.toml"
    before = path.read_text(encoding="utf-8")
    path.write_text(f"{before}\n{text}\n", encoding="utf-8")
    yield
    path.write_text(before, encoding="utf-8")


def metric(name: str, condition: str) -> str:
    return (
        f'[[gate.metric]]\nname = "{name} metric"\nnamespace = "{NAMESPACE}"\nmetric = "{name}"\n'
        f'statistic = "Average"\nperiod = "1s"\n{condition}\n'
    )


def bad(url: str) -> dict[str, str]:
    return {
        "metric": metric("Errors", 'success = "<= 1"'),
        "comparison": metric("Latency", 'compare = "increase"\nwindow = "1m"'),
        "probe": f'[[gate.probe]]\nname = "page"\nurl = "{url}/broken"\nstatus = [200]\nsamples = 1\n',
        "command": '[[gate.command]]\nname = "smoke"\ncommand = ["sh", "-c", "exit 3"]\nsuccess = "== 0"\n',
        "webhook": f'[[gate.webhook]]\nname = "desk"\nurl = "{url}/veto"\n',
        "prometheus": f'[[gate.prometheus]]\nname = "rate"\nurl = "{url}"\nquery = "up"\nfailure = ">= 0.1"\n',
    }


def good(url: str) -> str:
    smoke = json.dumps(["sh", "-c", "echo $MIGRATE_STAGE"])
    page = f'[[gate.probe]]\nname = "page"\nurl = "{url}/health"\nstatus = [200]\ncontains = "well"\nsuccess = "< 5"\n'
    return (
        metric("Fine", 'success = "<= 1"')
        + page
        + f'[[gate.command]]\nname = "smoke"\ncommand = {smoke}\nvalue = "stdout"\nsuccess = "== 0"\n'
        + f'[[gate.webhook]]\nname = "desk"\nurl = "{url}/verdict"\nheaders = {{ Authorization = "DESK_TOKEN" }}\n'
        + f'[[gate.prometheus]]\nname = "rate"\nurl = "{url}"\nquery = "up"\nsuccess = "< 1"\n'
    )


def publish(operator: Operator) -> None:
    """Send metrics of the minute before and of those to come, one value a second."""
    now = datetime.fromtimestamp(int(time.time()), UTC)
    data = [
        {
            "MetricName": name,
            "Timestamp": now + timedelta(seconds=second),
            "Value": value,
            "StorageResolution": 1,
        }
        for second in range(-50, 240)
        for name, value in (
            ("Errors", 9.0),
            ("Fine", 0.0),
            ("Latency", (0.2 if second <= 0 else 2.0) + second % 3 / 100),
        )
    ]
    for first in range(0, len(data), 500):
        operator.aws("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data[first : first + 500])


def on_a_strategy(operator: Operator) -> Any:
    """Put the service on a strategy, so that stage 0 has nothing to deploy, and return it: each run is then short."""
    ecs = operator.aws("ecs")
    providers = ["FARGATE", "FARGATE_SPOT"]
    ecs.put_cluster_capacity_providers(
        cluster=operator.seeded.cluster, capacityProviders=providers, defaultCapacityProviderStrategy=[]
    )
    ecs.update_service(
        cluster=operator.seeded.cluster,
        service=operator.seeded.service,
        capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}],
        forceNewDeployment=True,
    )
    deadline = time.monotonic() + 60
    while [item["rolloutState"] for item in operator.service()["deployments"]] != ["COMPLETED"]:
        assert time.monotonic() < deadline
    return operator.service()


def test_each_kind_of_check_takes_a_stage_back_and_all_of_them_let_it_pass(operator: Operator, url: str) -> None:
    operator.init()
    found = on_a_strategy(operator)
    for kind, text in bad(url).items():
        publish(operator)
        with checks(operator, text):
            ended = operator.run("apply", "--stage", "0", "--yes")
        assert ended.code == 4, f"{kind}: {ended.said}"
        assert "rolled back to the original" in ended.stdout
        assert {name: operator.service()[name] for name in KEPT} == {name: found[name] for name in KEPT}
    publish(operator)
    with checks(operator, good(url)):
        passed = operator.run("apply", "--stage", "0", "--yes", DESK_TOKEN="very-secret")
    assert passed.code == 0, passed.said
    assert "very-secret" not in passed.said
    assert Endpoint.told[-1]["authorization"] == "very-secret"
    assert (Endpoint.told[-1]["service"], Endpoint.told[-1]["stage"]) == (operator.seeded.service, "0")
