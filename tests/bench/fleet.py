"""What a plan of a thousand services costs: time beside what AWS's rates allow, calls, processor and memory.

The AWS is a scripted one in a process of its own, with the whole buckets of facts F21: who asks faster is throttled.
Everything else is what `migrate fleet plan` runs on: real clients, real HTTP, real time. Each fleet is planned by a
fresh process; its processor time is counted from the first call, without imports, and its memory with everything.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from migrate.core.rate_limits import least_seconds

Figure = tuple[str, float, str]

_SIZES = (10, 100, 1000)
_ROOT = Path(__file__).parents[2]


def fleet_figures() -> Iterator[Figure]:
    """Yield the figures of fleets of three sizes."""
    found = {size: _measured(size) for size in _SIZES}
    largest, size = found[_SIZES[-1]], _SIZES[-1]
    bound = least_seconds(largest["calls"])
    yield "fleet_plan_s", largest["wall"], "s"
    yield "fleet_plan_vs_rate_bound", largest["wall"] / bound, "x"
    yield "fleet_calls_per_service", sum(largest["calls"].values()) / size, "calls"
    yield "fleet_registry_requests_per_service", largest["registry"] / size, "requests"
    yield "fleet_throttled_calls", float(sum(largest["throttled"].values())), "calls"
    yield "fleet_cpu_ms_per_service", largest["cpu"] / size * 1000, "ms"
    yield "fleet_peak_mib", largest["peak"], "MiB"
    for less, more in ((10, 100), (100, 1000)):
        ratio = (found[more]["cpu"] / more) / (found[less]["cpu"] / less)
        yield f"fleet_growth_{less}_to_{more}", ratio, "x"
        yield f"fleet_peak_growth_{less}_to_{more}", found[more]["peak"] / found[less]["peak"], "x"


def _measured(size: int) -> dict[str, Any]:
    aws = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.fleet_aws", str(size)],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with aws, tempfile.TemporaryDirectory(prefix="migrate-bench-") as folder:
        assert aws.stdout is not None
        address = f"http://127.0.0.1:{int(aws.stdout.readline())}"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MIGRATE_"))},
            "AWS_ENDPOINT_URL": address,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_EC2_METADATA_DISABLED": "true",
            "MIGRATE_STATE_DIR": folder,
        }
        command = [sys.executable, "-m", "tests.bench.fleet", str(size)]
        told = subprocess.run(command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        counts = httpx.get(f"{address}/_counts", trust_env=False).json()
        assert aws.stdin is not None
        aws.stdin.close()
    registry = counts["calls"].pop("registry:GET", 0)
    return {**json.loads(told.stdout), **counts, "registry": registry}


def main() -> None:
    """Plan a fleet of the size given on the command line, and print what that took as JSON."""
    from migrate.core.fleet.plan import MemberVerdict
    from migrate.fleet_wiring import looking_at_fleet
    from migrate.wiring import Place
    from migrate.workflows.fleet_plan import plan_fleet
    from tests.fakes.fleet_account import member_of

    members = [member_of(number) for number in range(int(sys.argv[1]))]
    wall, cpu = time.perf_counter(), time.process_time()
    with looking_at_fleet(Place(), len(members)) as place_of:
        verdicts = [found.summary.verdict for found in plan_fleet(members, place_of)]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if verdicts != [MemberVerdict.READY] * len(members):
        raise SystemExit(f"not every service is ready: {Counter(verdicts)}")
    # Linux counts in KiB (getrusage(2)).
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"wall": wall, "cpu": cpu, "peak": peak}))


if __name__ == "__main__":
    main()
