"""One AWS endpoint on loopback that is as strict as AWS: MiniStack with the soft parts taken over.

MiniStack pins its own botocore, so it lives in an environment of its own, and so does this package when it runs:
nothing here imports anything but the standard library; :mod:`.server` alone touches hypercorn and MiniStack, and
:mod:`.engine` the Docker client.

Start (MiniStack's interpreter, the file by its path; no PYTHONPATH)::

    <ministack environment>/bin/python <checkout>/migrate/sandbox/front/main.py --port 4566 \
        --cert server.pem --key server.key [--registry-host localhost:4566]

Ready when ``GET http://127.0.0.1:PORT/_sandbox/ready`` answers 200. Plain HTTP and TLS are both accepted on that one
port (the first byte decides), for the AWS APIs and the registry protocol alike, so that ``localhost:PORT`` works for
both clients of docker-build (facts F39). The process ends on SIGTERM or SIGINT.

With ``--engine unix:///... --engine-network NAME --engine-label NAME=VALUE --balancer-port PORT`` every task is a
container in that Docker engine (see :mod:`.containers`), and the target groups are served on that port (see
:mod:`.balancer`). Whether tasks are containers or pretended, the rollout is decided here.

Switches in the environment, all optional (see :mod:`.settings`):

- ``MIGRATE_FRONT_ATTRIBUTES=off``: tasks answer no ``attributes`` (the weaker evidence).
- ``MIGRATE_FRONT_TASK_DIGEST=child``: tasks report the child manifest's digest, not the index's (facts F14).
- ``MIGRATE_FRONT_TASK_SECONDS`` (0.2): from a task's placement to RUNNING.
- ``MIGRATE_FRONT_DEPLOYMENT_SECONDS`` (0.5): the shortest time in which a deployment completes.
- ``MIGRATE_FRONT_REGISTRY_AUTH=required``: the registry protocol asks for a token of GetAuthorizationToken.

Control, for demos and tests (see :mod:`.faults`): ``POST /_sandbox/faults`` with one fault as JSON, ``GET`` lists,
``DELETE`` forgets all of them (``DELETE /_sandbox/faults/ID``: one)::

    {"kind": "tasks_fail_to_start", "service": "web", "deployments": 1, "reason": "..."}
    {"kind": "throttle", "operation": "DescribeServices", "times": 3}
    {"kind": "expired"}
    {"kind": "target_unhealthy", "service": "web", "count": 1, "reason": "Target.FailedHealthChecks"}
    {"kind": "deployment_latency", "service": "web", "seconds": 5}
    {"kind": "capacity_unavailable", "provider": "FARGATE_SPOT"}
    {"kind": "spot_interruption", "service": "web", "count": 1}
    {"kind": "task_exits", "service": "web", "count": 1, "exit_code": 137, "reason": "..."}
    {"kind": "other_architecture", "service": "web", "deployment": "ecs-svc/123"}
    {"kind": "child_exits", "service": "web", "deployments": 1, "exit_code": 255, "reason": "..."}

``GET /_sandbox/pushes`` tells every manifest that a repository took, by the registry protocol or PutImage, and whether
it was ``changed`` by it: a push of what was there already, under the tag that it had, was in vain.
"""
