from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from migrate.core.documents import document
from migrate.core.rollout.waits import with_rollout_waits
from migrate.core.settings import GateSettings

GATE = GateSettings()


@pytest.mark.parametrize(
    ("configuration", "minutes"),
    [
        ({}, 0),
        ({"strategy": "ROLLING"}, 0),
        ({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 30}, 30),
        ({"strategy": "CANARY", "canaryConfiguration": {"canaryBakeTimeInMinutes": 20}}, 20),
        ({"strategy": "LINEAR", "bakeTimeInMinutes": 5, "linearConfiguration": {"stepPercent": 25.0}}, 5 + 3 * 6),
        ({"lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}]}, 1440),
        (
            {
                "lifecycleHooks": [
                    {
                        "targetType": "PAUSE",
                        "timeoutConfiguration": {"timeoutInMinutes": 7},
                        "lifecycleStages": ["A", "B"],
                    },
                    {"hookTargetArn": "arn:aws:lambda:us-east-1:1:function:check", "lifecycleStages": ["A"]},
                ]
            },
            14,
        ),
    ],
    ids=["nothing said", "rolling", "blue/green", "canary", "linear", "pause", "hooks"],
)
def test_c44_the_gate_waits_for_what_ecs_waits_for_on_purpose(configuration: dict[str, Any], minutes: int) -> None:
    gate = with_rollout_waits(GATE, document({"deploymentConfiguration": configuration}))
    assert gate.deadline == GATE.deadline + timedelta(minutes=minutes)
    assert gate.progress_deadline == GATE.progress_deadline + timedelta(minutes=minutes)
    assert (gate.soak, gate.interval) == (GATE.soak, GATE.interval)
